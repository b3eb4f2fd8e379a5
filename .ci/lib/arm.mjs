// What compiles for arm64 and runs it on another machine: Debian's cross linker and qemu.

import { existsSync } from 'node:fs';

import { output } from './run.mjs';
import { RUST_WITH_SOURCE, cargoFor, findRust } from './rust.mjs';

const TARGET = 'aarch64-unknown-linux-gnu';
const LINKER = 'aarch64-linux-gnu-gcc';
const EMULATOR = 'qemu-aarch64-static';
const LIBRARIES = '/usr/aarch64-linux-gnu';

const compiler = () => findRust({ target: TARGET, findLinker: () => ['-C', `linker=${LINKER}`] });

/** For `ensureSystem`. */
export const ARM_NEEDS = {
  emulator: {
    packages: ['qemu-user-static', 'gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross'],
    elsewhere: { Fedora: [], Arch: [], macOS: [] },
    hint: 'Emulating arm64 is prepared for Debian. On a machine that is arm64 itself, npm test shows the same.',
    found: () =>
      [EMULATOR, LINKER].every((program) => output(program, ['--version']) !== undefined) &&
      existsSync(`${LIBRARIES}/lib/crt1.o`),
  },
  armCompiler: {
    packages: RUST_WITH_SOURCE,
    elsewhere: { Fedora: [], Arch: [], macOS: [] },
    hint: `Where rustup is, it brings arm64's library without a package:\n\n  rustup target add ${TARGET}`,
    found: () => compiler() !== undefined,
  },
};

/** How cargo is started so that it builds tests for arm64 and runs them under emulation. */
export function cargoForArm() {
  const rust = compiler();
  const { program, args, env } = cargoFor(rust, TARGET, rust.linker, { crates: 'std,test,panic_unwind,panic_abort' });
  const runner = `CARGO_TARGET_${TARGET.toUpperCase().replaceAll('-', '_')}_RUNNER`;
  return { program, args, env: { ...env, [runner]: `${EMULATOR} -L ${LIBRARIES}` } };
}
