// What a log that commits directly leaves when it is killed opens for ever too: a segment that shows the end of an older one
// behind its last frame, and a spare.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inspectFile, Log, verifyLog } from '../../buffer/index.ts';
import { readAll } from './log_on_memory.ts';

const golden = path.join(import.meta.dirname, 'golden', 'v1_killed');
const expected = JSON.parse(fs.readFileSync(path.join(golden, 'expected.json'), 'utf8'));
const LAST = '00000000000000000021.log';
let directory: string;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-golden-'));
  fs.cpSync(path.join(golden, 'log'), directory, { recursive: true });
});

afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

describe('the golden directory of a killed log', () => {
  it('shows frames of two lives in one file, the older of which begin below its name', () => {
    const bytes = fs.readFileSync(path.join(golden, 'log/s/0', LAST)).toString('latin1');
    expect(bytes).toMatch(/^HF.*entry 23 /s);
    expect(bytes).toMatch(/entry 23 .*entry (7|8|9|1\d) /s);
    expect(fs.existsSync(path.join(golden, 'log/s/0/spare-1'))).toBe(true);
  });

  it('is shown as three frames and space that no commit has used', async () => {
    const kinds: string[] = [];
    const whole = await inspectFile(path.join(directory, 's/0', LAST), ({ kind }) => kinds.push(kind));
    expect({ whole, kinds }).toEqual({ whole: true, kinds: ['frame', 'frame', 'frame', 'unused'] });
  });

  it('opens, holds what it held, and opens again', async () => {
    expect((await verifyLog({ directory })).damage).toEqual([]);
    for (let opening = 0; opening < 2; opening++) {
      const reports: string[] = [];
      const report = (level: string, message: string): number => reports.push(`${level}: ${message}`);
      const log = await Log.open({ directory, retention: { minFreeSpace_bytes: 0 }, report });
      const stream = await log.stream('s');
      const shard = stream.shardOf(0);
      const { account, highWatermark, logStart } = shard.stats();
      const committed = (await stream.group('g')).committed(shard);
      expect({ account, committed, highWatermark, logStart }).toEqual(expected);
      const reader = (await stream.group('golden', { protect: false, start: 'earliest' })).reader(shard);
      reader.seek(logStart);
      const found = await readAll(reader);
      expect(found.map(({ offset }) => offset)).toEqual([21, 22, 23]);
      for (const { offset, text } of found) expect(text.trimEnd()).toBe(`entry ${offset} `.padEnd(1100, 'x'));
      reader.close();
      expect(reports).toEqual(opening === 0 ? ['info: space that no commit had used was cut off'] : []);
      await log.close();
      expect(fs.readdirSync(path.join(directory, 's/0')).sort()).toEqual([LAST, 'ledger', 'offsets']);
    }
  });
});
