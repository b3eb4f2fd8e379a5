// For which machines there is an addon, and the package it lies in: one each, as napi-rs lays them out.

/** What decides which addon fits. */
export interface Machine {
  platform: string;
  arch: string;
  /** Whether its C library is musl, as on Alpine: addons are built for glibc. Takes longer than to load one. */
  isMusl: () => boolean;
}

/** A package with an addon. */
export interface AddonPackage {
  name: string;
  os: string;
  cpu: string;
  libc?: string;
  /** Rust's name of the machine. */
  target: string;
}

/** All of them: optional dependencies of the package, of which npm installs the one that fits. */
export const ADDON_PACKAGES: readonly AddonPackage[] = [
  { name: '@kithdb/linux-x64-gnu', os: 'linux', cpu: 'x64', libc: 'glibc', target: 'x86_64-unknown-linux-gnu' },
  { name: '@kithdb/linux-arm64-gnu', os: 'linux', cpu: 'arm64', libc: 'glibc', target: 'aarch64-unknown-linux-gnu' },
  { name: '@kithdb/darwin-arm64', os: 'darwin', cpu: 'arm64', target: 'aarch64-apple-darwin' },
  { name: '@kithdb/darwin-x64', os: 'darwin', cpu: 'x64', target: 'x86_64-apple-darwin' },
  { name: '@kithdb/win32-x64-msvc', os: 'win32', cpu: 'x64', target: 'x86_64-pc-windows-msvc' },
];

/** The package with the addon for a machine; undefined where none is built. Beside musl npm does not install it. */
export function packageFor({ platform, arch }: Pick<Machine, 'platform' | 'arch'>): AddonPackage | undefined {
  return ADDON_PACKAGES.find(({ os, cpu }) => os === platform && cpu === arch);
}

/** This machine. */
export function thisMachine(): Machine {
  const { platform, arch } = process;
  return { platform, arch, isMusl: () => platform === 'linux' && !hasGlibc() };
}

/** Node's report tells the version of glibc, where it runs with it. */
function hasGlibc(): boolean {
  const report = process.report as { excludeNetwork?: boolean; getReport(): unknown };
  // Else it would look the machine's addresses up, which can take seconds.
  const { excludeNetwork } = report;
  report.excludeNetwork = true;
  try {
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
    return header?.glibcVersionRuntime !== undefined;
  } finally {
    if (excludeNetwork !== undefined) report.excludeNetwork = excludeNetwork;
  }
}
