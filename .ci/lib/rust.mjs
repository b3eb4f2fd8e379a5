// The Rust compilers of this machine: where they are, whether they are new enough, and which of them can compile for
// another target than this machine.

import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

import { LOCKED, ROOT, output } from './run.mjs';

/** Where cargo keeps what it downloads and installs. */
export const CARGO_HOME = process.env.CARGO_HOME ?? join(homedir(), '.cargo');

/**
 * Puts rustup's folder on PATH, from which it is often missing. In front: Debian's compiler, which the browser module
 * may bring to the machine, must not become the one that compiles all the rest.
 */
export function putCargoOnPath() {
  const bin = join(CARGO_HOME, 'bin');
  const places = (process.env.PATH ?? '').split(delimiter);
  if (!places.includes(bin)) process.env.PATH = [bin, ...places].join(delimiter);
}

/** The oldest Rust that compiles the workspace, such as "1.90". */
export function oldestRust() {
  return /rust-version = "(\d+\.\d+)"/.exec(readFileSync(join(ROOT, 'Cargo.toml'), 'utf8'))[1];
}

/** What a compiler says of its version; undefined when there is no such compiler. */
export function rustVersion(rustc) {
  return output(rustc, ['--version']);
}

/** Whether that version compiles the workspace. */
export function isNewEnough(version) {
  const order = (text) => {
    const [, major, minor] = /(\d+)\.(\d+)/.exec(text) ?? [0, 0, 0];
    return Number(major) * 1000 + Number(minor);
  };
  return version !== undefined && order(version) >= order(oldestRust());
}

/** Debian's packages of a compiler with the source of its library: newer than the release's, for browsers. */
export const RUST_WITH_SOURCE = ['rustc-web', 'cargo-web', 'rust-web-src'];

/** The compiler of PATH, which is rustup's where that is; and Debian's, which may have what the first has not. */
const COMPILERS = [
  { rustc: 'rustc', cargo: 'cargo' },
  { rustc: '/usr/bin/rustc', cargo: '/usr/bin/cargo' },
];

/**
 * A compiler for a target: one that has its standard library, or one with the source of the library, which it compiles.
 * An own library is `possible` where there is no other, `better`, or `needed`. `findLinker` answers the flags that name the
 * linker, or undefined.
 */
export function findRust({ target, ownStd = 'possible', findLinker }) {
  const found = COMPILERS.flatMap(({ rustc, cargo }) => {
    const sysroot = output(rustc, ['--print', 'sysroot']);
    if (sysroot === undefined || !isNewEnough(rustVersion(rustc))) return [];
    const rustlib = join(sysroot, 'lib/rustlib');
    const linker = findLinker(rustlib);
    const hasStd = existsSync(join(rustlib, target, 'lib'));
    const hasSource = existsSync(join(rustlib, 'src/rust/library/std'));
    return linker ? [{ rustc, cargo, linker, source: join(rustlib, 'src/rust'), hasStd, hasSource }] : [];
  });
  const ready = found.filter(({ hasStd }) => hasStd).map((rust) => ({ ...rust, buildStd: false }));
  const able = found.filter(({ hasSource }) => hasSource).map((rust) => ({ ...rust, buildStd: true }));
  return { possible: [...ready, ...able], better: [...able, ...ready], needed: able }[ownStd][0];
}

/** How cargo is started with a compiler of `findRust`: `crates` of the library have to be compiled, with these `features`. */
export function cargoFor({ rustc, cargo, buildStd }, target, flags, { crates, features }) {
  const env = { RUSTC: rustc, CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f') };
  const args = [...LOCKED, '--target', target];
  if (buildStd) {
    env.RUSTC_BOOTSTRAP = '1'; // -Z on a stable compiler
    args.push(`-Zbuild-std=${crates}`);
    if (features) args.push(`-Zbuild-std-features=${features}`);
  }
  return { program: cargo, args, env };
}
