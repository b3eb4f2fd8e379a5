// Counts what `cargo test` prints.

/** Cuts a stream of text into lines without colours. */
export function lines(take) {
  let rest = '';
  return (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop();
    for (const line of parts) take(line.replace(/\x1b\[[0-9;]*m/g, ''));
  };
}

/** Adds the counts of a line that sums up a test program. */
export function countRust(line, sum) {
  const counts = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/.exec(line);
  if (!counts) return;
  sum.passed += Number(counts[1]);
  sum.failed += Number(counts[2]);
  sum.skipped += Number(counts[3]);
}
