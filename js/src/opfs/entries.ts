// What is in a directory of the origin private file system.

import { isNotFound } from './errors.js';

/** Whether a directory has a file of a name. */
export async function hasFile(directory: FileSystemDirectoryHandle, name: string): Promise<boolean> {
  try {
    await directory.getFileHandle(name);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
