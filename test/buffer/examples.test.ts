// The examples for users of the library run as they are, print what they say, and are short and listed.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';

const root = path.join(import.meta.dirname, '../..');
const folder = path.join(root, 'examples/buffer');
const readme = fs.readFileSync(path.join(root, 'buffer/README.md'), 'utf8');
const names = fs.readdirSync(folder).sort();
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-examples-'));
const LINES_MAX = 60;

afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** What the example prints; the package's name stands for the source, which needs no build. */
async function run(name: string): Promise<string[]> {
  const face = pathToFileURL(path.join(root, 'buffer/index.ts')).href;
  const source = fs.readFileSync(path.join(folder, name), 'utf8');
  const program = path.join(scratch, name.replace('.ts', '.mts'));
  fs.writeFileSync(program, source.replace("'holdfast/buffer'", JSON.stringify(face)));
  const options = { cwd: scratch, encoding: 'utf8' as const };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program],
    options,
  );
  return stdout.trimEnd().split('\n');
}

const PRINTED: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'write_and_read.ts': [
    ['orders/0-0 ada: one lamp', 'orders/0-1 ada: a bulb for the lamp', 'orders/1-0 dan: two chairs'],
    ['orders/0-2 ada: one lamp', 'orders/0-3 ada: a bulb for the lamp', 'orders/1-1 dan: two chairs'],
  ],
  'consumer_group.ts': [
    [
      'workers committed 2 c is missing',
      'workers committed 4 of 5',
      'audit lags by 5 entries',
      'audit lags by 2 entries',
      'audit does not pin what it has not read: 2',
      'workers pins what it has not read: 1',
    ],
  ],
  'process_loop.ts': [
    [
      'sent to ada',
      'handled after 1 attempts',
      'put aside: no such address',
      'dead_lettered after 3 attempts',
      'sent to bob',
      'handled after 2 attempts',
      'left 0 · dead letters 1',
    ],
  ],
  'follow_the_tail.ts': [['event 4', 'event 5', 'event 6', 'event 7', 'event 8']],
  'compressed.ts': [
    [
      expect.stringMatching(/^logs\.text\/0: 2 frames compressed to \d+ %, 0 left as they were$/),
      'logs.packed/0: 0 frames compressed nothing, 1 left as they were',
      'logs.plain/0: 0 frames compressed nothing, 0 left as they were',
      '2000 entries read, 2026-11-21 12:00:00 till 4: sold item 1999',
    ] as string[],
  ],
};

describe('the examples of the library', () => {
  it('are all tried here, listed in the README, and short', () => {
    expect(names).toEqual(Object.keys(PRINTED).sort());
    for (const name of names) {
      expect(readme).toContain(`](../examples/buffer/${name})`);
      expect(fs.readFileSync(path.join(folder, name), 'utf8').split('\n').length).toBeLessThan(LINES_MAX);
    }
  });

  it.each(names)('%s prints what it should, and resumes where it is run again', async (name) => {
    for (const printed of PRINTED[name]!) expect(await run(name)).toEqual(printed);
  });
});
