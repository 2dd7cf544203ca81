// What may be said about commits, and what is taken where nothing is said.

import { describe, expect, it } from '@jest/globals';
import { AdaptiveLinger } from '../../buffer/adaptive_linger.ts';
import { commitPolicy, lingerOf } from '../../buffer/commit_policy.ts';
import { InvalidOption } from '../../buffer/errors.ts';
import { Log } from '../../buffer/log.ts';
import { MemoryFileSystem } from './memory_file_system.ts';

describe('the commit policy', () => {
  it('is by default: synced before it is answered, 40 % time and 60 % fill, a linger that learns', () => {
    const policy = commitPolicy();
    expect(policy).toEqual({
      way: 'auto',
      durability: 'fsync',
      syncInterval_ms: 1000,
      linger_ms: 'adaptive',
      switch: { by: 'weighted', max_bytes: 256 * 1024, timeWeight: 0.4 },
    });
    expect(lingerOf(policy)).toBeInstanceOf(AdaptiveLinger);
    expect(lingerOf(commitPolicy('os', { linger_ms: 3 })).max_ms).toBe(3);
  });

  it('lets no block sit on more than a sixteenth of what may be in flight', () => {
    expect(commitPolicy('fsync', {}, 1024 * 1024).switch.max_bytes).toBe(64 * 1024);
  });

  it.each([
    { durability: 'maybe' as never },
    { commit: { way: 'sideways' as never } },
    { commit: { linger_ms: -1 } },
    { commit: { linger_ms: Number.NaN } },
    { commit: { switchBy: 'whim' as never } },
    { commit: { switchBytes: 0 } },
    { commit: { timeWeight: 1.5 } },
    { commit: { syncInterval_ms: 0 } },
  ])('refuses %j before anything is touched', async (options) => {
    const fileSystem = new MemoryFileSystem();
    await expect(Log.open({ directory: '/log', fileSystem, ...options })).rejects.toBeInstanceOf(
      InvalidOption,
    );
    expect(fileSystem.paths()).toEqual([]);
  });
});
