// Builds the browser module: the only place that knows about compilers, linkers and tools for WebAssembly.
//
//   js/dist/wasm/kithdb_wasm.js, kithdb_wasm_bg.wasm               one thread: runs in every browser
//   js/dist/wasm/threads/kithdb_wasm.js, kithdb_wasm_bg.wasm       several threads: needs shared memory
//
// Both are for size, but for the functions that Cargo.toml speaks of at `profile.wasm`. The standard library is compiled for
// size, too, from its source, which Debian packages and `rustup component add rust-src` bring; where there is none, the
// first module takes rustup's, and is 40 KB larger. The program that writes the JavaScript is the crate `.ci/bindgen`.

import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { sha256 } from './data.mjs';
import { copyChanged, filesOf } from './files.mjs';
import { namedByLikeness } from './likeness.mjs';
import { LOCKED, ROOT, TARGET_FOLDER, run } from './run.mjs';
import { CARGO_HOME, RUST_WITH_SOURCE, cargoFor, findRust } from './rust.mjs';
import { Refusal, step } from './say.mjs';

const TARGET = 'wasm32-unknown-unknown';
const MODULE = 'kithdb_wasm_bg.wasm';

/** What sorts the functions. */
const LIKENESS = new URL('likeness.mjs', import.meta.url);

/** The crate of the program that writes the JavaScript. */
const BINDGEN = '.ci/bindgen';

/** Of the standard library, where it is compiled. */
const STD = { crates: 'std,panic_abort', features: 'optimize_for_size' };

/** What every browser since 2023 has. */
const FEATURES = ['+simd128', '+bulk-memory'];

/** Memory that all threads share is reserved up to its maximum: iOS refuses 4 GiB. */
const SHARED_MEMORY = [
  '--shared-memory', '--import-memory', '--max-memory=1073741824',
  '--export=__wasm_init_tls', '--export=__tls_size', '--export=__tls_align', '--export=__tls_base',
];

/** What rustc assumes of every engine since LLVM 20, and what is asked for above. */
const ENABLED = [
  '--enable-simd', '--enable-bulk-memory', '--enable-bulk-memory-opt', '--enable-mutable-globals',
  '--enable-sign-ext', '--enable-nontrapping-float-to-int', '--enable-reference-types', '--enable-multivalue',
];

/**
 * A function that is called once is merged with its caller only when it is small: gzip finds less that is alike in large
 * ones. And the first kilobyte of the memory is the end of the stack, where nothing is: an access may add its offset itself.
 */
const SMALL = ['-O3', '--one-caller-inline-max-function-size=30', '--low-memory-unused'];

const SINGLE = {
  what: 'the browser module',
  folder: join(TARGET_FOLDER, 'wasm'),
  out: join(ROOT, 'js/dist/wasm'),
  features: FEATURES,
  link: [],
  cargo: [],
  profile: 'wasm',
  enabled: ENABLED,
  optimise: SMALL,
  sorted: true,
  ownStd: 'better',
};

const THREADS = {
  what: 'the browser module with threads',
  folder: join(TARGET_FOLDER, 'wasm-threads'),
  out: join(SINGLE.out, 'threads'),
  features: [...FEATURES, '+atomics', '+mutable-globals'],
  link: SHARED_MEMORY,
  cargo: ['--features', 'threads'],
  profile: 'wasm',
  enabled: [...ENABLED, '--enable-threads'],
  optimise: SMALL,
  sorted: true,
  ownStd: 'needed',
};

/** As tests run it: compiled in half the time, three times the size, in the linker's order. */
const THREADS_QUICK = { ...THREADS, profile: 'wasm-quick', optimise: ['-O1'], sorted: false };

/** For `ensureSystem`: a compiler that can make the module. */
export const WASM_NEED = {
  packages: [...RUST_WITH_SOURCE, 'lld-19'],
  elsewhere: { Fedora: [], Arch: [], macOS: [`rustup target add ${TARGET}`] },
  hint: `Where rustup is, it brings what the browser module needs without a package:\n\n  rustup target add ${TARGET}`,
  found: () => findToolchain(SINGLE) !== undefined,
};

/** Makes the module and, where that is wanted ("released" or "quick") and possible, the one with threads. */
export async function buildWasm({ threads }) {
  const bindgen = await buildBindgen();
  const flavours = [SINGLE];
  if (threads && findToolchain(THREADS)) {
    flavours.push(threads === 'quick' ? THREADS_QUICK : THREADS);
  } else if (threads) {
    console.log(`  without ${THREADS.what}, which needs the source of Rust's library: rustup component add rust-src`);
  }
  // Side by side: the compiler optimises each whole, on one core.
  await Promise.all(flavours.map((flavour) => buildFlavour(flavour, bindgen)));
}

async function buildFlavour(flavour, bindgen) {
  const toolchain = findToolchain(flavour);
  if (!toolchain) throw new Refusal(`No Rust compiler here can make ${flavour.what}.\n\n${WASM_NEED.hint}`);
  const first = !existsSync(join(flavour.out, MODULE));
  await step(`building ${flavour.what}${first ? ' (first time a few minutes)' : ''}`, async () => {
    await compile(flavour, toolchain, first);
    await finish(flavour, bindgen);
    return sizes(readFileSync(join(flavour.out, MODULE)));
  });
}

/**
 * cargo knows itself whether there is something to do. In a folder of its own for each flavour: with paths remapped,
 * cargo gives the artefacts of both the same names, and would compile everything again at each change between them.
 */
async function compile({ folder, profile, features, link, cargo }, toolchain, first) {
  const flags = ['-C', `target-feature=${features.join(',')}`, ...toolchain.linker];
  for (const argument of link) flags.push('-C', `link-arg=${argument}`);
  flags.push('--cfg', 'kithdb_small'); // what `profile.wasm` in Cargo.toml says of it
  // A panic names its file: that of the registry or of the library, and not where these lie on this machine.
  flags.push(`--remap-path-prefix=${CARGO_HOME}=cargo`, `--remap-path-prefix=${toolchain.source}=rust`);
  // With -p and never --workspace: cargo would unify the features with those of the native surfaces.
  const what = ['-p', 'kithdb-wasm', '--profile', profile, '--target-dir', folder, ...cargo];
  const { program, args, env } = cargoFor(toolchain, TARGET, flags, STD);
  // An attribute of the language that the core has with that --cfg is not stable yet.
  await run(program, ['build', ...(first ? [] : ['--quiet']), ...what, ...args], { env: { RUSTC_BOOTSTRAP: 'kithdb', ...env } });
}

/** Makes JavaScript and an optimised module of what cargo has linked, unless that is what lies there already. */
async function finish({ folder, profile, out, enabled, optimise, sorted }, bindgen) {
  const linked = join(folder, TARGET, profile, 'kithdb_wasm.wasm');
  const versions = [bindgen.recipe, lockedVersion('package-lock.json', 'binaryen')];
  const own = `${nameModule}${readFileSync(LIKENESS)}`;
  const recipe = sha256(readFileSync(linked), JSON.stringify([...versions, enabled, optimise, sorted, own]));
  const stamp = join(folder, 'stamp.json');
  const before = existsSync(stamp) ? JSON.parse(readFileSync(stamp, 'utf8')) : { files: {} };
  const isThere = ([name, hash]) => existsSync(join(out, name)) && sha256(readFileSync(join(out, name))) === hash;
  if (before.recipe === recipe && Object.entries(before.files).every(isThere)) return;
  const fresh = join(folder, 'fresh');
  rmSync(fresh, { recursive: true, force: true });
  await run(bindgen.program, [linked, fresh]);
  for (const name of filesOf(fresh).filter((name) => name.endsWith('workerHelpers.js'))) nameModule(join(fresh, name));
  const module = join(fresh, MODULE);
  await binaryen(module, [...enabled, ...optimise]);
  if (sorted) {
    writeFileSync(module, namedByLikeness(readFileSync(module)));
    await binaryen(module, [...enabled, '--reorder-functions-by-name']);
  }
  const files = Object.fromEntries(filesOf(fresh).map((name) => [name, sha256(readFileSync(join(fresh, name)))]));
  for (const name of Object.keys(before.files).filter((name) => !(name in files))) rmSync(join(out, name), { force: true });
  for (const name of Object.keys(files)) copyChanged(join(fresh, name), join(out, name));
  writeFileSync(stamp, JSON.stringify({ recipe, files }));
}

async function binaryen(module, args) {
  await run(process.execPath, [join(ROOT, 'node_modules/binaryen/bin/wasm-opt'), ...args, module, '-o', module]);
}

/** A thread's script imports the module by the folder it is in, which bundlers understand and browsers do not. */
function nameModule(path) {
  const text = readFileSync(path, 'utf8');
  const named = text.replace("import('../../..')", "import('../../../kithdb_wasm.js')");
  if (named === text) throw new Refusal(`${path} does not import the module as it did: look at its new version`);
  writeFileSync(path, named);
}

/** "1,267 KB, 514 KB gzipped". */
function sizes(module) {
  const kilobytes = (bytes) => `${Math.round(bytes.length / 1000).toLocaleString('en')} KB`;
  return `${kilobytes(module)}, ${kilobytes(gzipSync(module, { level: 9 }))} gzipped`;
}

/** The program that writes the JavaScript; of the very version of the crate, or it refuses the module. */
async function buildBindgen() {
  const wanted = lockedVersion('Cargo.lock', 'wasm-bindgen');
  const got = lockedVersion(`${BINDGEN}/Cargo.lock`, 'wasm-bindgen-cli-support');
  if (got !== wanted) {
    throw new Refusal(`Cargo.lock has wasm-bindgen ${wanted}, and ${BINDGEN} has ${got}: write ${wanted} into its Cargo.toml`);
  }
  const manifest = ['--manifest-path', `${BINDGEN}/Cargo.toml`, '--target-dir', join(TARGET_FOLDER, 'bindgen')];
  const program = join(TARGET_FOLDER, 'bindgen/debug', process.platform === 'win32' ? 'kithdb-bindgen.exe' : 'kithdb-bindgen');
  const what = existsSync(program) ? undefined : 'building what writes its JavaScript (once, a minute)';
  const build = () => run('cargo', ['build', '--quiet', ...LOCKED, ...manifest]);
  await (what ? step(what, build) : build());
  return { program, recipe: sha256(readFileSync(program)) };
}

function lockedVersion(file, name) {
  const text = readFileSync(join(ROOT, file), 'utf8');
  if (file.endsWith('.json')) return JSON.parse(text).packages[`node_modules/${name}`].version;
  return new RegExp(`name = "${name}"\nversion = "([^"]+)"`).exec(text)[1];
}

/** A compiler for a flavour; undefined when there is none. */
function findToolchain({ ownStd }) {
  return findRust({ target: TARGET, ownStd, findLinker });
}

/** The arguments that name the linker: none where the compiler has its own; else LLVM's newest on PATH; or undefined. */
function findLinker(rustlib) {
  const own = readdirSync(rustlib).some((host) => existsSync(join(rustlib, host, 'bin/rust-lld')));
  if (own) return [];
  const names = (process.env.PATH ?? '').split(delimiter).flatMap((place) => (existsSync(place) ? readdirSync(place) : []));
  const version = (name) => Number(/^wasm-ld(?:-(\d+))?$/.exec(name)?.[1] ?? 0);
  const linkers = names.filter((name) => /^wasm-ld(-\d+)?$/.test(name)).sort((a, b) => version(b) - version(a));
  return linkers.length > 0 ? ['-C', `linker=${linkers[0]}`] : undefined;
}
