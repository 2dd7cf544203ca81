// The README's example runs as it is printed, and its tables name what the source has.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import * as errors from '../../buffer/errors.ts';

const buffer = path.join(import.meta.dirname, '../../buffer');
const readme = fs.readFileSync(path.join(buffer, 'README.md'), 'utf8');

describe('the README of the buffer', () => {
  it('has an example that runs, and that resumes when it is run again', () => {
    const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-'));
    try {
      const face = pathToFileURL(path.join(buffer, 'index.ts')).href;
      const program = path.join(directory, 'example.mts');
      fs.writeFileSync(program, example.replace("'holdfast/buffer'", JSON.stringify(face)));
      for (let run = 0; run < 2; run++) {
        const output = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
          cwd: directory,
          encoding: 'utf8',
        });
        expect(output).toBe('one\ntwo\n');
      }
      expect(
        example.split('\n').filter((line) => line.startsWith('const') || line.includes('await')).length,
      ).toBeLessThanOrEqual(10);
    } finally {
      fs.rmSync(directory, { recursive: true, force: true });
    }
  });

  it('lists every error, with its code', () => {
    const source = fs.readFileSync(path.join(buffer, 'errors.ts'), 'utf8');
    const codes = [...source.matchAll(/'(HF_BUFFER_[A-Z_]+)'/g)].map((match) => match[1]!);
    expect(codes.length).toBe(Object.keys(errors).length);
    for (const code of codes) expect(readme).toContain(`\`${code}\``);
    for (const name of Object.keys(errors)) expect(readme).toContain(`\`${name}\``);
  });

  it.each([
    ['log_options.ts', 'RetentionOptions'],
    ['log_options.ts', 'SegmentOptions'],
    ['log_options.ts', 'LogOptions'],
    ['compression.ts', 'CompressionOptions'],
    ['stream.ts', 'StreamOptions'],
    ['group.ts', 'GroupOptions'],
    ['batch.ts', 'ReadLimits'],
    ['process.ts', 'ProcessOptions'],
    ['assignment.ts', 'Assignment'],
  ])('lists every option of %s %s', (file, name) => {
    const source = fs.readFileSync(path.join(buffer, file), 'utf8');
    const body = source.split(`interface ${name} {`)[1]!.split('\n}')[0]!;
    const options = [...body.matchAll(/^ {2}readonly (\w+)/gm)].map((match) => match[1]!);
    expect(options.length).toBeGreaterThan(1);
    for (const option of options) expect(readme).toMatch(new RegExp(`\`([^\`]*\\.)?${option}(\\.[^\`]*)?\``));
  });
});
