// What went wrong, whoever says it: the facts of a report, and what a reader can do about it here.

/** The facts of an error that a page shows. */
export interface Problem {
  code: string;
  message: string;
  expected?: string | undefined;
  got?: string | undefined;
  /** Byte offset within a text of the request, in UTF-8. */
  position?: number | undefined;
  hint?: string | undefined;
}

/** What is known of an error. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof Error)) return { code: 'unknown', message: String(error) };
  const { code, expected, got, position, hint } = error as Partial<Problem>;
  return { code: typeof code === 'string' ? code : 'internal', message: error.message, expected, got, position, hint: HERE[String(code)] ?? hint ?? HINTS[String(code)] };
}

/**
 * What failed, as a sentence begins: `what` such as "It was not stored". Of what may have been done nobody knows: "Whether it
 * was stored is not known".
 */
export function failed(what: string, { code }: Problem): string {
  const [, it, done] = /^(.*) was not (.*)$/.exec(what) ?? [];
  if (!UNKNOWN.has(code) || !it) return what;
  return `Whether ${it.charAt(0).toLowerCase()}${it.slice(1)} was ${done} is not known`;
}

/** Whether the database has ended under its page: nothing of it is answered any more. */
export const isEnded = (error: unknown): boolean => ENDS.has(problemOf(error).code);

const UNKNOWN = new Set(['outcome_unknown', 'worker_lost']);
const ENDS = new Set(['closed', 'worker_lost']);

/** Whether somebody gave up waiting: nothing to be told. */
export const isCancelled = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'AbortError' || (error as Partial<Problem>).code === 'cancelled');

/** Whether a server did not let in who asked, or not to this. */
export const isRefused = (error: unknown): boolean => REFUSALS.has(problemOf(error).code);

const REFUSALS = new Set(['missing_token', 'unknown_token', 'unauthorized', 'forbidden']);

/** What is to be done here, where a report speaks to programs. */
const HERE: Record<string, string> = {
  database_locked: 'close it in the other tab, then try again',
  missing_token: 'enter the token that the server was started with, or one of its keys',
  unknown_token: 'enter the token that the server was started with, or one of its keys',
};

const HINTS: Record<string, string> = {
  forbidden: 'enter the token of a key with a higher role, or of one for this collection',
  unreachable: 'start the server, then try again; what you typed is kept in the address',
};
