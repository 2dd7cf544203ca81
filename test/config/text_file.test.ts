import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { plain, problemsOf } from './load.ts';

describe('files', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-config-'));
  });
  afterEach(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const write = (name: string, text: string | Uint8Array): string => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text);
    return file;
  };

  it('are read by path, with or without file:, and from a variable with env:', () => {
    const file = write('a.yaml', 'a: 1\n');
    expect(plain({ files: [file] })).toEqual({ a: 1 });
    expect(plain({ files: [`file:${file}`] })).toEqual({ a: 1 });
    expect(plain({ files: ['env:CONF'], env: { CONF: 'a: 2' } })).toEqual({ a: 2 });
    expect(problemsOf({ files: ['env:CONF'] })).toEqual(['env:CONF: is not set']);
  });

  it('are read through links and from pipes, to which no size is known beforehand', () => {
    const link = path.join(folder, 'link');
    fs.symlinkSync(write('real.yaml', 'b: 1'), link);
    expect(plain({ files: [link] })).toEqual({ b: 1 });
    const fifo = path.join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const writer = spawn('sh', ['-c', `echo 'c: 1' > ${JSON.stringify(fifo)}`], { stdio: 'ignore' });
    expect(plain({ files: [fifo] })).toEqual({ c: 1 });
    writer.kill();
  });

  it('that cannot be had are all named, with the mistakes of those that can', () => {
    const said = problemsOf({
      files: [
        path.join(folder, 'none.yaml'),
        folder,
        write('latin1', Uint8Array.of(0x61, 0x3a, 0x20, 0xe9)),
        write('large', `a: ${'x'.repeat(1024 * 1024)}`),
        write('broken', 'a: [\n'),
        write('list', '- a\n'),
        'a\0b',
      ],
    });
    expect(said).toEqual([
      expect.stringMatching(/none\.yaml: does not exist/),
      expect.stringMatching(/: is a folder/),
      expect.stringMatching(/latin1: is not UTF-8/),
      expect.stringMatching(/large: is larger than 1048576 bytes/),
      expect.stringMatching(/broken:2:1: YAML/),
      expect.stringMatching(/list:1:1: wrong type; expected a map/),
      expect.stringMatching(/NUL/),
    ]);
  });
});
