// What options mean for the parts of a log, and which are refused.

import { describe, expect, it } from '@jest/globals';
import { limitsOf } from '../../buffer/log_options.ts';
import { LogOnMemory } from './log_on_memory.ts';

const MiB = 1024 * 1024;
const directory = '/log';

describe('limitsOf', () => {
  it('keeps segments to an eighth of the log and of a shard', () => {
    const segment = (retention: object) => limitsOf({ directory, retention }).segment.maxBytes;
    expect(segment({})).toBe(64 * MiB);
    expect(segment({ maxSize_bytes: 64 * MiB })).toBe(8 * MiB);
    expect(segment({ maxShardSize_bytes: 16 * MiB })).toBe(2 * MiB);
  });

  it.each([
    ['minSegments', -1],
    ['minSegments', 1.5],
    ['minSegments', 16],
    ['maxShardSize_bytes', 0],
    ['maxShardSize_bytes', Number.NaN],
  ])('refuses %s %s before anything is touched', async (name, value) => {
    const on = new LogOnMemory();
    await expect(on.open({ retention: { [name]: value } })).rejects.toMatchObject({
      code: 'HF_BUFFER_INVALID_OPTION',
      message: expect.stringContaining(name),
    });
    expect(on.disk.paths()).toEqual([]);
  });

  it('takes as many segments to stay as leave room for one more', () => {
    expect(limitsOf({ directory, retention: { minSegments: 15 } }).policy.minSegments).toBe(15);
  });
});
