// What is asked of a server beside the interface.

import type { Source } from './sources.js';
import { tokenFor } from './tokens.js';
import type { Report } from './types.js';

/** Asks the server of a source for a path; throws what it refuses. */
export async function send(source: Source, path: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  const token = tokenFor(source.address!);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  const response = await fetch(new URL(path, source.address!), { cache: 'no-store', credentials: 'omit', ...options, headers });
  if (!response.ok) throw await serverFailure(response);
  return response;
}

/** The bytes of an answer, told as they come. */
export async function readBytes(response: Response, onBytes: (done: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  return bytesOf(response.body ?? new ReadableStream(), onBytes);
}

/** The bytes of a stream, told as they come. */
export async function bytesOf(stream: ReadableStream<Uint8Array>, onBytes: (done: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let done = 0;
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    pieces.push(read.value);
    done += read.value.length;
    onBytes(done);
  }
  const bytes = new Uint8Array(done);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** The error of an answer, with the facts of its report. */
async function serverFailure(response: Response): Promise<Error> {
  const report = await reportOf(response);
  const message = report?.message ?? `the server answered with status ${response.status}`;
  return Object.assign(new Error(message), report ?? { code: response.status === 401 ? 'unauthorized' : 'invalid_answer' });
}

async function reportOf(response: Response): Promise<Report | null> {
  try {
    const report = (await response.json()) as Partial<Report>;
    return typeof report.code === 'string' && typeof report.message === 'string' ? (report as Report) : null;
  } catch {
    return null;
  }
}
