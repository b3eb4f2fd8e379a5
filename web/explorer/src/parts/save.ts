// Hands a file to the reader.

/** Signs that some system does not allow in the name of a file. */
const ODD = /[\p{Cc}\p{Cf}"*/:<>?\\|]+/gu;

/** Saves it under a name, in which signs that some system does not allow become `_`. */
export function saveAs(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name.replace(ODD, '_').slice(0, 120) || 'file';
  link.click();
  // It is read after the click has returned.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
