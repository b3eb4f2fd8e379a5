// Lays out what is published on npm: the package itself, without an addon, and one package for the addon of each machine.
//
//     node .ci/lib/packages.mjs FOLDER TARGET=ADDON...
//
// writes FOLDER/kithdb and, for each of Rust's targets that is given with the library that cargo made for it, the folder of
// its package. The names of the packages are those that the loader looks for (js/src/native/platform.ts).

import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { filesOf } from './files.mjs';
import { ROOT } from './run.mjs';

/** What only a build in the repository has, or needs. */
const NOT_PUBLISHED = { files: ['js/dist/kithdb.node'], fields: ['devDependencies', 'scripts'] };

/** Lays out the packages; `addons` are paths by target. Answers the folders. */
export function layOut(folder, addons) {
  const { ADDON_PACKAGES } = createRequire(import.meta.url)(join(ROOT, 'js/dist/node/native/platform.js'));
  const about = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const unknown = Object.keys(addons).filter((target) => !ADDON_PACKAGES.some((one) => one.target === target));
  if (unknown.length > 0) throw new Error(`no package is named for ${unknown.join(', ')}`);
  const main = layOutMain(join(folder, 'kithdb'), about, ADDON_PACKAGES);
  const given = ADDON_PACKAGES.filter(({ target }) => target in addons);
  return [main, ...given.map((one) => layOutAddon(folder, about, one, addons[one.target]))];
}

function layOutMain(folder, about, all) {
  const published = Object.entries(about).filter(([field]) => !NOT_PUBLISHED.fields.includes(field));
  // The very version: an addon and the TypeScript over it are one.
  const optionalDependencies = Object.fromEntries(all.map(({ name }) => [name, about.version]));
  const inFiles = about.files.flatMap((path) => {
    const isFile = /\.\w+$/.test(path);
    return isFile ? [path] : filesOf(join(ROOT, path)).map((name) => `${path}/${name}`);
  });
  for (const path of [...inFiles, ...papers(), 'README.md', 'CHANGELOG.md']) {
    if (!NOT_PUBLISHED.files.includes(path)) copy(join(ROOT, path), join(folder, path));
  }
  write(folder, { ...Object.fromEntries(published), optionalDependencies });
  return folder;
}

function layOutAddon(folder, about, { name, os, cpu, libc, target }, addon) {
  const place = join(folder, name);
  copy(addon, join(place, 'kithdb.node'));
  for (const paper of papers()) copy(join(ROOT, paper), join(place, paper));
  const { version, license, repository, engines } = about;
  const description = `The addon of kithdb for ${target}; kithdb installs it where it fits`;
  const machine = { os: [os], cpu: [cpu], ...(libc ? { libc: [libc] } : {}) };
  write(place, { name, version, description, license, repository, engines, ...machine, type: 'commonjs', main: 'kithdb.node', files: ['kithdb.node'] });
  return place;
}

const papers = () => readdirSync(ROOT).filter((name) => name.startsWith('LICENSE'));

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

function write(folder, about) {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(about, null, 2)}\n`);
}

if (process.argv[1] === import.meta.filename) {
  const [folder, ...addons] = process.argv.slice(2);
  const pairs = addons.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
  for (const place of layOut(folder, Object.fromEntries(pairs))) process.stdout.write(`${place}\n`);
}
