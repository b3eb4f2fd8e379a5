// What the commands print: one line for each step, saying what is done and how long it took.

/** A failure whose message is all that the user needs: printed without a stack. */
export class Refusal extends Error {}

/** "74 s", "3 min 5 s", "0.4 s". */
export function duration(ms) {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Runs one step; `work` may return a word about the outcome, printed after the time. */
export async function step(what, work) {
  console.log(`… ${what}`);
  const start = performance.now();
  const outcome = await work();
  const note = typeof outcome === 'string' ? `: ${outcome}` : '';
  console.log(`  done in ${duration(performance.now() - start)}${note}`);
  return outcome;
}

/** Runs a command's main function; any failure ends the process with exit code 1. */
export async function main(command) {
  try {
    await command(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Refusal ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
}
