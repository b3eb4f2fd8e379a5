// What the files of a database in the origin private file system begin with, and what a pointer holds. docs/BROWSER.md says it
// in words.
//
// A file is its object only once its head is written, which is the last thing that is written of a new one. So what a crash
// leaves of an object that was begun has a head of zeros, and is nothing.

/** Version of this layout; a larger one is refused. */
export const FORMAT = 1;

/** Bytes of a head. */
export const HEAD_BYTES = 64;

/** Where the object begins: nothing that is written of it shares a sector with the head. */
export const DATA = 4096;

const MAGIC = new TextEncoder().encode('KITHOPFS');

/** What a file can be. A tail was cut off a log. */
const KINDS = ['pointer', 'manifest', 'log', 'blob', 'tail'] as const;

/** What an object is. */
export interface Head {
  kind: (typeof KINDS)[number];
  storage: number;
  /** The generation of a manifest, of a log and of a tail's log; the number of a blob; 0 of a pointer. */
  number: number;
  /** The type of a blob, the offset from which a tail was cut; else 0. */
  detail: number;
  /** Larger in what was made later: where two files are the same object, the later one is it. */
  birth: number;
}

/** A head, or what there is instead of one. */
export type Found = Head | 'begun' | 'damaged' | { format: number };

/** The bytes of a head. */
export function encodeHead({ kind, storage, number, detail, birth }: Head): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEAD_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, FORMAT, true);
  view.setUint32(12, KINDS.indexOf(kind), true);
  [storage, number, detail, birth].forEach((value, i) => view.setBigUint64(16 + 8 * i, BigInt(value), true));
  view.setUint32(HEAD_BYTES - 4, crc32(bytes.subarray(0, HEAD_BYTES - 4)), true);
  return bytes;
}

/** What the first bytes of a file say. */
export function decodeHead(bytes: Uint8Array<ArrayBuffer>): Found {
  if (bytes.every((byte) => byte === 0)) return 'begun';
  if (bytes.length < HEAD_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) return 'damaged';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  // First: a version of which a bit was flipped is none. All versions have the checksum here.
  if (view.getUint32(HEAD_BYTES - 4, true) !== crc32(bytes.subarray(0, HEAD_BYTES - 4))) return 'damaged';
  const format = view.getUint32(8, true);
  if (format > FORMAT) return { format };
  const kind = KINDS[view.getUint32(12, true)];
  if (kind === undefined) return 'damaged';
  const value = (i: number): number => Number(view.getBigUint64(16 + 8 * i, true));
  return { kind, storage: value(0), number: value(1), detail: value(2), birth: value(3) };
}

const ENTRY_BYTES = 20;

/** Bytes of a pointer: two entries, each in a sector of its own. The whole one with the larger count holds. */
export const POINTER_BYTES = 2 * DATA;

/** To which generation a pointer was set last, and how often it was set. */
export interface Pointed {
  count: number;
  /** Null where that is not certain: an entry is damaged, and was the last one perhaps. */
  generation: number | null;
}

/** The offset of the entry that is written next: that of the one before the last. */
export function entryAt(count: number): number {
  return (count % 2) * DATA;
}

/** The bytes of an entry. */
export function encodeEntry({ count, generation }: Pointed & { generation: number }): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(count), true);
  view.setBigUint64(8, BigInt(generation), true);
  view.setUint32(16, crc32(bytes.subarray(0, 16)), true);
  return bytes;
}

/** What the bytes of a pointer say; undefined where neither entry is whole. */
export function decodePointer(bytes: Uint8Array<ArrayBuffer>): Pointed | undefined {
  let newest: Pointed | undefined;
  // A pointer is made with room for both.
  let isCertain = bytes.length >= DATA + ENTRY_BYTES;
  for (const at of [0, DATA]) {
    const entry = new Uint8Array(ENTRY_BYTES);
    entry.set(bytes.subarray(at, at + ENTRY_BYTES));
    // Zeros are no entry yet.
    if (entry.every((byte) => byte === 0)) continue;
    const view = new DataView(entry.buffer);
    const count = Number(view.getBigUint64(0, true));
    const isWhole = view.getUint32(16, true) === crc32(entry.subarray(0, 16));
    if (!isWhole) isCertain = false;
    else if (count > (newest?.count ?? -1)) newest = { count, generation: Number(view.getBigUint64(8, true)) };
  }
  // As where there is none: the newest manifest that can be read holds, and nothing that it does not name is removed.
  return newest && (isCertain ? newest : { ...newest, generation: null });
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** The checksum of zip and of Ethernet. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255]!;
  return ~crc >>> 0;
}
