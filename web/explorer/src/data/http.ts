// What a server refused, of what is asked beside the interface.

import type { Report } from './types.js';

/** The error of an answer, with the facts of its report. */
export async function serverFailure(response: Response): Promise<Error> {
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
