// npm run prove: proofs too long for CI. `npm run prove -- NAME [--for 40m]` runs one; without a name it lists them.
// A proof is tests/prove/NAME.sh or NAME.mjs, or an ignored Rust test whose path contains NAME (`-` stands for `_`);
// both read KITH_PROVE_SECONDS. What one counts (`counted: NAME kills=512 lost=0`) is added to docs/RELIABILITY.md.

import { parseArgs } from 'node:util';

import { BUILD_NEEDS, buildRelease, serverBinary } from '../lib/build.mjs';
import { cacheFolder, dataNeeds, ensureEmbedder, ensureWordnet } from '../lib/data.mjs';
import { programs } from '../lib/programs.mjs';
import { tally } from '../lib/proofs.mjs';
import { output, run } from '../lib/run.mjs';
import { Refusal, main, step } from '../lib/say.mjs';
import { ensureNpmPackages, ensureRust, ensureSystem } from '../lib/system.mjs';

const RUST = ['test', '--release', '-p', 'kithdb-tests', '--test', 'all'];

await main(async (args) => {
  const options = { for: { type: 'string', default: '1m' } };
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const [name] = positionals;
  const env = { KITH_PROVE_SECONDS: String(seconds(values.for)), KITH_CACHE: cacheFolder() };
  const scripts = programs('tests/prove', ['.sh', '.mjs']);
  if (name in scripts) {
    const interpreter = scripts[name].endsWith('.sh') ? 'bash' : process.execPath;
    await proving(`proving ${name}`, interpreter, [scripts[name]], env);
    return;
  }
  await ensureSystem([...BUILD_NEEDS, ...dataNeeds()]);
  ensureRust();
  const ignored = listIgnored();
  const chosen = ignored.filter((test) => name && test.includes(name.replaceAll('-', '_')));
  if (chosen.length === 0) {
    console.log(`npm run prove -- NAME [--for 40m]\nthere are: ${[...Object.keys(scripts), ...ignored].join(', ')}`);
    if (name) throw new Refusal(`no proof is named ${name}`);
    return;
  }
  await ensureNpmPackages();
  await buildRelease();
  await ensureWordnet();
  await ensureEmbedder();
  const cargo = [...RUST, '--', '--ignored', '--exact', '--nocapture', ...chosen];
  const title = `proving ${chosen.join(', ')} for ${values.for}`;
  await proving(title, 'cargo', cargo, { ...env, KITH_SERVER: serverBinary('release') });
});

/** Runs a proof and keeps what it counted. */
async function proving(title, program, args, env) {
  const counts = tally();
  await step(title, () => run(program, args, { env, onText: counts.take }));
  counts.save();
}

function seconds(text) {
  const [, count, unit] = /^(\d+)(s|m|h)$/.exec(text) ?? [];
  if (!unit) throw new Refusal(`--for wants a time such as 30s, 40m or 2h; got ${text}`);
  return Number(count) * { s: 1, m: 60, h: 3600 }[unit];
}

/** The Rust tests that are too long for `npm test`. */
function listIgnored() {
  const text = output('cargo', [...RUST, '--quiet', '--', '--list', '--ignored', '--format', 'terse']);
  if (text === undefined) throw new Refusal('the tests do not build: cargo test -p kithdb-tests says why');
  return text.split('\n').flatMap((line) => (line.endsWith(': test') ? [line.slice(0, -': test'.length)] : []));
}
