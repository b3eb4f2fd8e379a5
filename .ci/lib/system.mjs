// What the machine must have before anything can be built or tested: a linker, Rust, Python's pip, a browser, npm
// packages. Missing pieces are installed where that is safe (root on Debian or a relative of it); elsewhere the
// commands to type are printed, because a build script should not guess at somebody's machine.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

import { ARM_NEEDS } from './arm.mjs';
import { ROOT, output, run } from './run.mjs';
import { isNewEnough, oldestRust, putCargoOnPath, rustVersion } from './rust.mjs';
import { Refusal, step } from './say.mjs';
import { WASM_NEED } from './wasm.mjs';

/** Things looked for, the Debian packages that bring them, and what to type elsewhere. */
const NEEDS = {
  linker: {
    packages: ['gcc', 'libc6-dev'],
    elsewhere: { Fedora: 'gcc glibc-devel', Arch: 'gcc', macOS: 'xcode-select --install' },
    found: () => output('cc', ['--version']) !== undefined,
  },
  cxx: {
    packages: ['g++'],
    elsewhere: { Fedora: 'gcc-c++', Arch: 'gcc', macOS: 'xcode-select --install' },
    found: () => output('c++', ['--version']) !== undefined,
  },
  curl: {
    packages: ['curl'],
    elsewhere: { Fedora: 'curl', Arch: 'curl', macOS: 'brew install curl' },
    found: () => output('curl', ['--version']) !== undefined,
  },
  certificates: {
    packages: ['ca-certificates'],
    elsewhere: { Fedora: 'ca-certificates', Arch: 'ca-certificates' },
    found: () => process.platform !== 'linux' || hasCertificates(),
  },
  pip: {
    packages: ['python3-pip'],
    elsewhere: { Fedora: 'python3-pip', Arch: 'python-pip', macOS: 'xcode-select --install' },
    found: () => output('python3', ['-m', 'pip', '--version']) !== undefined,
  },
  pythonHeaders: {
    packages: ['python3-dev'],
    elsewhere: { Fedora: 'python3-devel', Arch: 'python', macOS: 'xcode-select --install' },
    found: () => output('python3', ['-c', PYTHON_HEADERS]) !== undefined,
  },
  chromium: {
    packages: ['chromium'],
    elsewhere: { Fedora: 'chromium', Arch: 'chromium', macOS: 'brew install --cask google-chrome' },
    hint: 'If Chromium or Chrome is installed in another place, name it: KITH_CHROMIUM=/path/to/it npm test',
    found: () => findChromium() !== undefined,
  },
  wasm: WASM_NEED,
  ...ARM_NEEDS,
};

/** Fails where Python cannot be compiled against. */
const PYTHON_HEADERS = "import sysconfig, os; os.stat(os.path.join(sysconfig.get_paths()['include'], 'Python.h'))";

function hasCertificates() {
  const places = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];
  return [process.env.SSL_CERT_FILE, ...places].some((place) => place && existsSync(place));
}

const CHROMIUMS = [
  'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * The path of the browser for the tests: what KITH_CHROMIUM names, or the first that answers. Asked, and not only
 * looked for: some systems have a script of that name that says how to install the browser.
 */
export function findChromium() {
  const named = process.env.KITH_CHROMIUM;
  if (named) {
    if (output(named, ['--version']) !== undefined) return named;
    throw new Refusal(`KITH_CHROMIUM names ${named}, which does not answer to --version; unset it, or name a browser`);
  }
  const places = (process.env.PATH ?? '').split(delimiter);
  const candidates = CHROMIUMS.flatMap((name) => (isAbsolute(name) ? [name] : places.map((place) => join(place, name))));
  return candidates.find((path) => existsSync(path) && output(path, ['--version']) !== undefined);
}

/** Installs the named needs that are missing, or says what to type. */
export async function ensureSystem(names) {
  putCargoOnPath();
  const needs = names.map((name) => NEEDS[name]).filter((need) => !need.found());
  if (needs.length === 0) return;
  const packages = needs.flatMap((need) => need.packages);
  const install = ['install', '--yes', '--no-install-recommends', ...packages];
  const hints = needs.flatMap(({ hint }) => (hint ? [`\n\n${hint}`] : [])).join('');
  const debian = output('apt-get', ['--version']) !== undefined;
  if (!debian || process.getuid?.() !== 0) {
    throw new Refusal(
      debian
        ? `Missing on this machine: ${packages.join(' ')}. Type:\n\n` +
          `  sudo apt-get update\n  sudo apt-get ${install.join(' ')}\n\nand run this again.${hints}`
        : `Missing on this machine (Debian's names): ${packages.join(' ')}.\n` +
          `Install them with your package manager and run this again, for example:\n\n${elsewhere(needs)}${hints}`,
    );
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await step(`installing ${packages.join(' ')} (apt-get)`, async () => {
    await run('apt-get', ['update', '-qq'], { env });
    await run('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...install], { env });
  }).catch((error) => {
    throw error instanceof Refusal ? new Refusal(`${error.message}${hints}`) : error;
  });
  const missing = needs.filter((need) => !need.found()).flatMap((need) => need.packages);
  if (missing.length > 0) throw new Refusal(`still missing after the installation: ${missing.join(' ')}${hints}`);
}

/** What to type on systems other than Debian, a line for each command. */
function elsewhere(needs) {
  const names = (system) => needs.flatMap((need) => need.elsewhere[system] ?? []);
  const lines = [
    ['Fedora', [`sudo dnf install ${names('Fedora').join(' ')}`]],
    ['Arch', [`sudo pacman -S ${names('Arch').join(' ')}`]],
    ['macOS', [...new Set(names('macOS'))]],
  ];
  return lines.flatMap(([system, commands]) => commands.map((line) => `  ${`${system}:`.padEnd(9)}${line}`)).join('\n');
}

/** Puts cargo on PATH and checks that it is new enough. */
export function ensureRust() {
  putCargoOnPath();
  const version = rustVersion('rustc');
  if (isNewEnough(version) && output('cargo', ['--version']) !== undefined) return;
  throw new Refusal(
    version
      ? `Rust ${oldestRust()} or newer is needed; this is ${version}. Type:\n\n  rustup update stable\n`
      : 'Rust is needed. Install it from https://rustup.rs, which says to type:\n\n' +
        "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh\n\nand run this again.",
  );
}

/** Installs the npm packages of a folder when its package-lock.json has changed since they were installed. */
export async function ensureNpmPackages(folder = '.') {
  const cwd = join(ROOT, folder);
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} `);
  for (const name of ['package.json', 'package-lock.json']) hash.update(readFileSync(join(cwd, name)));
  const key = hash.digest('hex');
  const stamp = join(cwd, 'node_modules', '.kithdb-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  await step(`installing npm packages${folder === '.' ? '' : ` of ${folder}`}`, async () => {
    await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd });
    writeFileSync(stamp, key);
  });
}
