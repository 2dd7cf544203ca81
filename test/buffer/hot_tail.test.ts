// Blocks kept for readers that have caught up: found by position, bounded, given back.

import { describe, expect, it } from '@jest/globals';
import { type Block, BlockPool } from '../../buffer/block_pool.ts';
import { HotMemory, HotTail } from '../../buffer/hot_tail.ts';

const KiB = 1024;

function block(pool: BlockPool, used: number): Block {
  const one = pool.acquire(1);
  one.used = used;
  return one;
}

describe('HotTail', () => {
  it('finds the block that holds a position of a segment, and nothing outside', () => {
    const pool = new BlockPool(0);
    const tail = new HotTail(new HotMemory(1024 * KiB));
    const [a, b, c] = [block(pool, 100), block(pool, 50), block(pool, 70)];
    tail.push(0, 0, 10, a!);
    tail.push(0, 100, 20, b!);
    tail.push(20, 0, 30, c!);
    expect(tail.find(0, 0)?.block).toBe(a);
    expect(tail.find(0, 99)?.block).toBe(a);
    expect(tail.find(0, 100)).toMatchObject({ block: b, position: 100 });
    expect(tail.find(0, 150)).toBeUndefined();
    expect(tail.find(20, 69)?.block).toBe(c);
    expect(tail.find(20, 70)).toBeUndefined();
    expect(tail.find(10, 0)).toBeUndefined();
    expect(tail.find(30, 0)).toBeUndefined();
  });

  it('gives back what every reader has passed', () => {
    const pool = new BlockPool(0);
    const tail = new HotTail(new HotMemory(1024 * KiB));
    tail.push(0, 0, 10, block(pool, 100));
    tail.push(0, 100, 20, block(pool, 100));
    tail.trim(9);
    expect(pool.stats().in_use_bytes).toBe(128 * KiB);
    tail.trim(10);
    expect(pool.stats().in_use_bytes).toBe(64 * KiB);
    tail.trim(Number.POSITIVE_INFINITY);
    expect(pool.stats().in_use_bytes).toBe(0);
  });

  it('lets the oldest go when it grows beyond its limit, by the memory that blocks take', () => {
    const pool = new BlockPool(0);
    const tail = new HotTail(new HotMemory(3 * 64 * KiB));
    for (let index = 0; index < 50; index++) tail.push(0, 10 * index, index + 1, block(pool, 10));
    expect(pool.stats().in_use_bytes).toBe(3 * 64 * KiB);
    expect(tail.find(0, 460)).toBeUndefined();
    expect(tail.find(0, 470)).toBeDefined();
    const none = new HotTail(new HotMemory(0));
    none.push(0, 0, 1, block(pool, 10));
    expect(none.find(0, 0)).toBeUndefined();
  });

  it('shares one limit with the tails of all other shards: whichever block came first goes first', () => {
    const pool = new BlockPool(0);
    const memory = new HotMemory(4 * 64 * KiB);
    const [quiet, busy] = [new HotTail(memory), new HotTail(memory)];
    quiet.push(0, 0, 1, block(pool, 10));
    for (let index = 0; index < 3; index++) busy.push(0, 10 * index, index + 1, block(pool, 10));
    expect(quiet.find(0, 0)).toBeDefined();
    busy.push(0, 30, 4, block(pool, 10));
    expect(quiet.find(0, 0)).toBeUndefined();
    expect(busy.find(0, 0)).toBeDefined();
    quiet.push(0, 10, 2, block(pool, 10));
    expect(busy.find(0, 0)).toBeUndefined();
    expect(quiet.find(0, 10)).toBeDefined();
    expect(memory.used_bytes).toBe(4 * 64 * KiB);
    quiet.close();
    busy.close();
    expect([memory.used_bytes, pool.stats().in_use_bytes]).toEqual([0, 0]);
  });
});
