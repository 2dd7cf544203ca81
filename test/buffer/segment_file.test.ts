// Both ways to write a segment leave the same bytes, whatever the sizes of commits and however little the disk takes at a time.

import { describe, expect, it } from '@jest/globals';
import { type Block, BlockPool } from '../../buffer/block_pool.ts';
import { DirectMemory } from '../../buffer/direct_memory.ts';
import { DIRECT_BLOCK_BYTES, type File } from '../../buffer/ports/file_system.ts';
import { AppendFile, DirectFile } from '../../buffer/segment_file.ts';
import { SeededRandom } from '../sim/random.ts';
import { MemoryFile } from './memory_file_system.ts';

const pool = new BlockPool(0);
const memory = new DirectMemory({ directMemory: () => Buffer.alloc(4 * DIRECT_BLOCK_BYTES) });

function commitOf(random: SeededRandom): Block[] {
  return Array.from({ length: random.between(1, 3) }, () => {
    const block = pool.acquire(64 * 1024);
    block.used = random.pick([1, 40, random.integer(500) + 1, 4096, random.between(1, 60_000)]);
    for (let at = 0; at < block.used; at++) block.memory[at] = random.integer(256);
    return block;
  });
}

/** Takes whole blocks only, and not always all that it is given. */
function directFile(random: SeededRandom, short: boolean): { file: File; disk: MemoryFile } {
  const disk = new MemoryFile();
  disk.direct = true;
  const write: File['write'] = async (bytes, position) => {
    const blocks = bytes.length / DIRECT_BLOCK_BYTES;
    if (!short || blocks < 2 || random.chance(0.5)) return disk.write(bytes, position);
    const taken = random.between(1, blocks - 1) * DIRECT_BLOCK_BYTES;
    // A sector more than whole blocks: it is written again.
    return (await disk.write(bytes.subarray(0, taken), position)) + 512;
  };
  return { disk, file: Object.assign(Object.create(disk) as File, { write }) };
}

describe('a segment written past the page cache', () => {
  it.each([
    ['whole', false],
    ['in parts', true],
  ])('holds what an appended one holds, from a disk that takes writes %s', async (_how, short) => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new SeededRandom(seed);
      const appended = new MemoryFile();
      const { disk, file } = directFile(random.fork('disk'), short);
      const ways = [new AppendFile(appended), new DirectFile(file, memory, Buffer.alloc(0))];
      let position = 0;
      for (let commit = 0; commit < 12; commit++) {
        const blocks = commitOf(random);
        for (const way of ways) await way.write(blocks, position);
        position += blocks.reduce((sum, block) => sum + block.used, 0);
        const equal = disk.bytes.subarray(0, position).equals(appended.bytes.subarray(0, position));
        expect({ seed, commit, equal }).toEqual({ seed, commit, equal: true });
        // What fills the last block are zeros, where a frame ends as well as at the end of the file.
        expect(disk.bytes.subarray(position).every((byte) => byte === 0)).toBe(true);
        expect(disk.bytes.length - position).toBeLessThan(DIRECT_BLOCK_BYTES);
      }
    }
  });

  it('goes on behind what an earlier life left, and again after a write that failed', async () => {
    const random = new SeededRandom(7);
    const disk = new MemoryFile(Buffer.alloc(5000, 0x61));
    disk.direct = true;
    const file = new DirectFile(disk, memory, Buffer.alloc(5000 % DIRECT_BLOCK_BYTES, 0x61));
    const blocks = commitOf(random);
    const { write } = disk;
    disk.write = () => Promise.reject(new Error('EIO'));
    await expect(file.write(blocks, 5000)).rejects.toThrow('EIO');
    disk.write = write;
    await file.write(blocks, 5000);
    expect(disk.bytes.subarray(0, 5000)).toEqual(Buffer.alloc(5000, 0x61));
    const first = blocks[0]!;
    expect(disk.bytes.subarray(5000, 5000 + first.used)).toEqual(first.memory.subarray(0, first.used));
  });

  it('is out of room where the disk takes less than a block', async () => {
    const file = new DirectFile(
      Object.assign(Object.create(new MemoryFile()) as File, { write: async () => 512 }),
      memory,
      Buffer.alloc(0),
    );
    await expect(file.write(commitOf(new SeededRandom(1)), 0)).rejects.toMatchObject({ code: 'ENOSPC' });
  });
});
