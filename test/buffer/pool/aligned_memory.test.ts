// That memory is page-aligned is proven by the kernel: O_DIRECT takes no other.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { alignedMemory } from '../../../buffer/pool/aligned_memory.ts';
import { Pool } from '../../../buffer/pool/pool.ts';
import { writeSlots } from '../../../buffer/pool/vectored.ts';
import { errorCode } from '../../../buffer/ports/file_system.ts';
import { openVectored, type VectoredFile } from '../../../buffer/ports/vectored_file.ts';

const PAGE = 4096;

describe('alignedMemory(size, pageSize)', () => {
  it('gives whole pages of zeros', () => {
    expect(alignedMemory(1).length).toBe(4096);
    expect(alignedMemory(4097).length).toBe(8192);
    expect(alignedMemory(100_000, 16_384).length).toBe(114_688);
    expect(alignedMemory(70_000).every((byte) => byte === 0)).toBe(true);
  });

  it('refuses sizes and pages that cannot be', () => {
    for (const size of [0, -1, 1.5, 2 ** 33, Number.NaN])
      expect(() => alignedMemory(size)).toThrow(RangeError);
    for (const page of [0, 3, 5000, 131_072, 0.5])
      expect(() => alignedMemory(4096, page)).toThrow(RangeError);
  });
});

describe('alignment proven by O_DIRECT', () => {
  let directory: string;
  let file: VectoredFile | undefined;
  /** Why the file system cannot prove anything here. */
  let refused = '';

  beforeAll(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-'));
    if (fs.constants.O_DIRECT === undefined) {
      refused = `${process.platform} has no O_DIRECT`;
      return;
    }
    try {
      file = await openVectored(path.join(directory, 'direct'), 'create', { direct: true });
    } catch (error) {
      if (errorCode(error) !== 'EINVAL') throw error;
      refused = `the file system of ${os.tmpdir()} refuses O_DIRECT`;
      return;
    }
    // Some take any address (tmpfs, overlays in memory): there, nothing is proven by success.
    const odd = alignedMemory(2 * PAGE).subarray(1, 1 + PAGE);
    try {
      await file.writev([odd], 0);
      refused = `the file system of ${os.tmpdir()} does not check addresses`;
    } catch (error) {
      if (errorCode(error) !== 'EINVAL') throw error;
    }
  });

  afterAll(async () => {
    await file?.close();
    fs.rmSync(directory, { recursive: true, force: true });
  });

  const proves = (): boolean => {
    if (refused !== '') console.warn(`not proven here: ${refused}`);
    return refused === '';
  };

  it('the kernel takes every page of aligned memory', async () => {
    if (!proves()) return;
    for (const size of [PAGE, 16 * PAGE, 100 * PAGE]) {
      const memory = alignedMemory(size).fill(0x61);
      for (let at = 0; at < size; at += 7 * PAGE) {
        expect(await file!.writev([memory.subarray(at, at + PAGE)], 0)).toBe(PAGE);
      }
    }
  });

  it('the kernel takes every slot of a page or more, in one writev', async () => {
    if (!proves()) return;
    const pool = new Pool({
      tiers: [
        { bytes: 16, slots: 3 },
        { bytes: 4096, slots: 3 },
        { bytes: 16_384, slots: 3 },
        { bytes: 262_144, slots: 2 },
      ],
    });
    const indexes = [4096, 4096, 4096, 16_384, 16_384, 16_384, 262_144, 262_144].map((bytes) =>
      pool.get(bytes),
    );
    for (const [at, index] of indexes.entries()) pool.fill(index, 0x41 + at);
    const written = await writeSlots(file!, pool, indexes, 0);
    const expected = Buffer.concat(indexes.map((index) => pool.value(index)));
    expect(written).toBe(expected.length);
    expect(fs.readFileSync(path.join(directory, 'direct')).equals(expected)).toBe(true);
  });
});
