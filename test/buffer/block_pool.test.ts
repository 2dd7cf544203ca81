// Blocks are lent and come back: counted exactly, kept within bounds, never given back twice.

import { describe, expect, it } from '@jest/globals';
import { BlockPool } from '../../buffer/block_pool.ts';
import { LeaseMisuse } from '../../buffer/errors.ts';

const KiB = 1024;

describe('BlockPool', () => {
  it('lends a block of at least the size asked for and takes it again', () => {
    const pool = new BlockPool(1024 * KiB);
    const block = pool.acquire(70 * KiB);
    expect(block.memory.length).toBe(256 * KiB);
    block.used = 9;
    expect(pool.stats()).toEqual({ free_bytes: 0, in_use_bytes: 256 * KiB, hits: 0, misses: 1 });
    block.release();
    expect(pool.stats()).toEqual({ free_bytes: 256 * KiB, in_use_bytes: 0, hits: 0, misses: 1 });
    const again = pool.acquire(65 * KiB);
    expect(again).toBe(block);
    expect(again.used).toBe(0);
    expect(pool.stats().hits).toBe(1);
  });

  it('keeps a block until the last reference is gone', () => {
    const pool = new BlockPool(1024 * KiB);
    const block = pool.acquire(1);
    block.retain();
    block.release();
    expect(pool.stats().in_use_bytes).toBe(64 * KiB);
    block.release();
    expect(pool.stats().in_use_bytes).toBe(0);
    expect(() => block.release()).toThrow(LeaseMisuse);
    expect(pool.stats()).toMatchObject({ free_bytes: 64 * KiB, in_use_bytes: 0 });
  });

  it('keeps no more for reuse than it may, and nothing larger than its largest class', () => {
    const pool = new BlockPool(128 * KiB);
    const blocks = [1, 2, 3].map(() => pool.acquire(1));
    for (const block of blocks) block.release();
    expect(pool.stats().free_bytes).toBe(128 * KiB);
    const huge = pool.acquire(9 * KiB * KiB);
    expect(huge.memory.length).toBe(9 * KiB * KiB);
    huge.release();
    expect(pool.stats()).toMatchObject({ free_bytes: 128 * KiB, in_use_bytes: 0 });
  });

  it('gives up sizes that nobody wants any more for those that come and go', () => {
    const pool = new BlockPool(1024 * KiB);
    const old = [1, 2, 3, 4].map(() => pool.acquire(256 * KiB));
    for (const block of old) block.release();
    expect(pool.stats().free_bytes).toBe(1024 * KiB);
    pool.acquire(1024 * KiB).release();
    expect(pool.stats()).toMatchObject({ free_bytes: 1024 * KiB, misses: 5 });
    pool.acquire(1024 * KiB).release();
    expect(pool.stats()).toMatchObject({ free_bytes: 1024 * KiB, hits: 1, misses: 5 });
  });

  it('keeps the size that was wanted last when another comes back late', () => {
    const pool = new BlockPool(1024 * KiB);
    const late = pool.acquire(1024 * KiB);
    const recent = [1, 2, 3, 4].map(() => pool.acquire(256 * KiB));
    for (const block of recent) block.release();
    late.release();
    expect(recent).toContain(pool.acquire(256 * KiB));
  });
});
