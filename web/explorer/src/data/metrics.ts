// A server's figures in the text form of Prometheus: read over HTTP, as the interface has no verb for them.

import type { Source } from './sources.js';
import { tokenFor } from './tokens.js';

/** Some of the figures at a moment. */
export interface Figures {
  /** When they were read, in ms. */
  at: number;
  /** Requests answered since the server began. */
  requests: number;
  /** Those of them that failed: status 500 and above. */
  failures: number;
  /** How long they took together. */
  seconds: number;
  /** Requests that are worked on. */
  inFlight: number;
  /** Bytes of bodies that are held. */
  bodyBytes: number;
  /** Bytes of memory that the process has, and of these those of files; null where the server does not tell. */
  residentBytes: number | null;
  fileBytes: number | null;
}

/** What is asked by this page itself while it shows figures, which are not to show it alone. */
const OWN = new Set(['/metrics']);

/** The figures of a server; null where they may not be read, which wants the role admin. */
export async function readFigures(source: Source, signal: AbortSignal): Promise<Figures | null> {
  if (source.address === null) return null;
  const token = tokenFor(source.address);
  const headers: HeadersInit = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(new URL('metrics', source.address), { headers, signal, cache: 'no-store', credentials: 'omit' });
  return response.ok ? parseFigures(await response.text(), performance.now()) : null;
}

/** Sums what the text tells. */
export function parseFigures(text: string, at: number): Figures {
  const figures: Figures = { at, requests: 0, failures: 0, seconds: 0, inFlight: 0, bodyBytes: 0, residentBytes: null, fileBytes: null };
  for (const line of text.split('\n')) {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!found) continue;
    const [, name = '', labels = '', value = ''] = found;
    const amount = Number(value);
    if (name === 'kithdb_requests_in_flight') figures.inFlight = amount;
    else if (name === 'kithdb_request_body_bytes') figures.bodyBytes = amount;
    else if (name === 'process_resident_memory_bytes') figures.residentBytes = amount;
    else if (name === 'kithdb_resident_file_bytes') figures.fileBytes = amount;
    else if (!OWN.has(label(labels, 'route'))) {
      if (name === 'kithdb_request_duration_seconds_sum') figures.seconds += amount;
      if (name !== 'kithdb_request_duration_seconds_count') continue;
      figures.requests += amount;
      if (label(labels, 'status').startsWith('5')) figures.failures += amount;
    }
  }
  return figures;
}

function label(labels: string, name: string): string {
  return new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
}
