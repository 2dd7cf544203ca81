// Who awaits the next write of offsets hears of it, though the process waits for nothing else.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';

/** Each commit after the first finds the timer that waits for the second slot. */
const PROGRAM = `
import { Log } from 'FACE';
const log = await Log.open({ directory: './log', offsetsInterval_ms: 20 });
const stream = await log.stream('s');
const shard = stream.shardOf(0);
await shard.durable(shard.append([Buffer.from('a'), Buffer.from('b')]) + 1);
const group = await stream.group('g');
for (const next of [1, 2]) {
  await group.commit(shard, next);
  console.log(next);
}
await log.close();
console.log('closed');
`;

describe('the offsets of a group', () => {
  it('are written before a program ends that awaits them and nothing else', () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-'));
    try {
      const face = pathToFileURL(path.join(import.meta.dirname, '../../buffer/index.ts')).href;
      const program = path.join(directory, 'commit.mts');
      fs.writeFileSync(program, PROGRAM.replace('FACE', face));
      const output = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
        cwd: directory,
        encoding: 'utf8',
      });
      expect(output).toBe('1\n2\nclosed\n');
    } finally {
      fs.rmSync(directory, { recursive: true, force: true });
    }
  });
});
