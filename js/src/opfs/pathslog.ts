// What keeps our files from a defect of the browser, which wasm/levellog.ts tells of.
//
// Chromium keeps its list of an origin's files in a LevelDB, too. When the browser is killed within a write of that, the log of
// it ends in half a record, and the start after the next one loses what was written behind it: the files that were made in
// between, with all they hold. So whoever opens a database that was not closed first has LevelDB begin another log, by
// making and removing a file whose name is long.

import { isChromium } from '../wasm/levellog.js';
import { hasFile } from './entries.js';

/** There from before the first file is made until the database is closed. */
const MARK = 'writing';

/** The log has the name three times: under its number, as a key, and as a key that goes. */
const NAME_CHARS = 200_000;
const FILLER = 'filler'.padEnd(NAME_CHARS, '-');

/** LevelDB begins another log at 4 MiB, and one more only when it has no need of the first. */
const FILLER_COUNT = Math.ceil((2.2 * 4 * 1024 * 1024) / (3 * NAME_CHARS));

/** To be called before any file is made. */
export async function beginFiles(files: FileSystemDirectoryHandle): Promise<void> {
  if (!isChromium()) return;
  if (await hasFile(files, MARK)) {
    for (let i = 0; i < FILLER_COUNT; i += 1) {
      await files.getFileHandle(FILLER, { create: true });
      await files.removeEntry(FILLER);
    }
  }
  await files.getFileHandle(MARK, { create: true });
}

/** To be called after the last file was made. If it fails, the next one to open does more than it has to. */
export async function endFiles(files: FileSystemDirectoryHandle): Promise<void> {
  if (isChromium()) await files.removeEntry(MARK).catch(() => {});
}
