// The types of the package, seen by a program that uses them: what has to compile does, and what must not does not.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT } from './support.mjs';

for (const [name, options] of Object.entries({
  'an ES module': ['--module', 'nodenext'],
  'a bundler': ['--module', 'esnext', '--moduleResolution', 'bundler', '--customConditions', 'node'],
})) {
  test(`the types fit a program that is ${name}`, () => {
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--noEmit', '--skipLibCheck', 'false', '--ignoreConfig'];
    const libraries = ['--target', 'es2022', '--lib', 'es2024,esnext.disposable,dom', '--types', ''];
    const args = [join(ROOT, 'node_modules/@typescript/native/bin/tsc'), ...options, ...strict, ...libraries, 'tests/js/types.ts'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  });
}
