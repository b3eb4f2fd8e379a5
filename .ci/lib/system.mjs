// What the machine must have before anything can be built: a linker, Rust, Python's pip, npm packages.
// Missing pieces are installed where that is safe (root on Debian or a relative of it); elsewhere the
// commands to type are printed, because a build script should not guess at somebody's machine.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

import { ROOT, output, run } from './run.mjs';
import { Refusal, step } from './say.mjs';

/** Things looked for, and the Debian packages that bring them. */
const NEEDS = {
  linker: { packages: ['gcc', 'libc6-dev'], found: () => output('cc', ['--version']) !== undefined },
  curl: { packages: ['curl'], found: () => output('curl', ['--version']) !== undefined },
  certificates: {
    packages: ['ca-certificates'],
    found: () => process.platform !== 'linux' || hasCertificates(),
  },
  pip: { packages: ['python3-pip'], found: () => output('python3', ['-m', 'pip', '--version']) !== undefined },
};

function hasCertificates() {
  const places = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];
  return [process.env.SSL_CERT_FILE, ...places].some((place) => place && existsSync(place));
}

/** Installs the named needs that are missing, or says what to type. */
export async function ensureSystem(names) {
  const packages = names.filter((name) => !NEEDS[name].found()).flatMap((name) => NEEDS[name].packages);
  if (packages.length === 0) return;
  const install = ['install', '--yes', '--no-install-recommends', ...packages];
  const debian = output('apt-get', ['--version']) !== undefined;
  if (!debian || process.getuid?.() !== 0) {
    throw new Refusal(
      debian
        ? `Missing on this machine: ${packages.join(' ')}. Type:\n\n` +
          `  sudo apt-get update\n  sudo apt-get ${install.join(' ')}\n\nand run this again.`
        : `Missing on this machine (Debian's names): ${packages.join(' ')}.\n` +
          'Install them with your package manager and run this again, for example:\n\n' +
          '  Fedora:  sudo dnf install gcc glibc-devel ca-certificates curl python3-pip\n' +
          '  Arch:    sudo pacman -S gcc ca-certificates curl python-pip\n' +
          '  macOS:   xcode-select --install',
    );
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await step(`installing ${packages.join(' ')} (apt-get)`, async () => {
    await run('apt-get', ['update', '-qq'], { env });
    await run('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...install], { env });
  });
  const missing = names.filter((name) => !NEEDS[name].found());
  if (missing.length > 0) throw new Refusal(`still missing after the installation: ${missing.join(', ')}`);
}

/** Puts cargo on PATH (rustup's folder is often missing from it) and checks that it is new enough. */
export function ensureRust() {
  const cargoBin = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin');
  process.env.PATH = `${process.env.PATH}${delimiter}${cargoBin}`;
  const wanted = /rust-version = "(\d+)\.(\d+)"/.exec(readFileSync(join(ROOT, 'Cargo.toml'), 'utf8'));
  const version = output('rustc', ['--version']);
  const got = /rustc (\d+)\.(\d+)/.exec(version ?? '');
  const order = (match) => Number(match[1]) * 1000 + Number(match[2]);
  if (got && output('cargo', ['--version']) !== undefined && order(got) >= order(wanted)) return;
  throw new Refusal(
    version
      ? `Rust ${wanted[1]}.${wanted[2]} or newer is needed; this is ${version}. Type:\n\n  rustup update stable\n`
      : 'Rust is needed. Install it from https://rustup.rs, which says to type:\n\n' +
        "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh\n\nand run this again.",
  );
}

/** Installs the npm packages when package-lock.json has changed since they were installed. */
export async function ensureNpmPackages() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} `);
  for (const name of ['package.json', 'package-lock.json']) hash.update(readFileSync(join(ROOT, name)));
  const key = hash.digest('hex');
  const stamp = join(ROOT, 'node_modules', '.kithdb-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  await step('installing npm packages', async () => {
    await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    writeFileSync(stamp, key);
  });
}
