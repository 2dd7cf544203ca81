// Slots to and from files: short reads and writes are finished, the end of the file is told.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { StaleIndex } from '../../../buffer/pool/errors.ts';
import { Pool } from '../../../buffer/pool/pool.ts';
import { readSlots, writeSlots } from '../../../buffer/pool/vectored.ts';
import { openVectored, type VectoredFile } from '../../../buffer/ports/vectored_file.ts';

/** A file in memory that moves at most `step` bytes a call. */
function shortFile(step: number, content = Buffer.alloc(0)): VectoredFile & { bytes: Buffer; calls: number } {
  return {
    bytes: content,
    calls: 0,
    async writev(pieces, position) {
      this.calls += 1;
      const taken = Buffer.concat(pieces).subarray(0, step);
      const grown = Buffer.alloc(Math.max(this.bytes.length, position + taken.length));
      this.bytes.copy(grown);
      taken.copy(grown, position);
      this.bytes = grown;
      return taken.length;
    },
    async readv(into, position) {
      this.calls += 1;
      let done = 0;
      for (const piece of into) {
        const some = this.bytes.subarray(position + done, position + Math.min(step, done + piece.length));
        piece.set(some);
        done += some.length;
        if (some.length < piece.length) break;
      }
      return done;
    },
    async sync() {},
    async close() {},
  };
}

function filled(): { pool: Pool; indexes: number[]; text: string } {
  const pool = new Pool();
  const words = ['one', '', 'twenty-two bytes or so', 'x'.repeat(300)];
  const indexes = words.map((word) => {
    const index = pool.get(word.length);
    pool.setValue(index, Buffer.from(word));
    return index;
  });
  return { pool, indexes, text: words.join('') };
}

describe('vectored reads and writes', () => {
  it.each([1, 2, 7, 100, 10_000])('finish what the system does %i bytes at a time', async (step) => {
    const { pool, indexes, text } = filled();
    const file = shortFile(step);
    expect(await writeSlots(file, pool, indexes, 5)).toBe(text.length);
    expect(file.bytes.subarray(5).toString()).toBe(text);
    const into = [pool.get(16), pool.get(256), pool.get(1024)];
    expect(await readSlots(file, pool, into, 5)).toBe(text.length);
    expect(into.map((index) => pool.value(index).length)).toEqual([16, 256, text.length - 272]);
    expect(into.map((index) => pool.value(index).toString()).join('')).toBe(text);
  });

  it('say at the end of the file how much there was, slots behind it being empty', async () => {
    const { pool } = filled();
    const into = [pool.get(16), pool.get(16)];
    expect(await readSlots(shortFile(99, Buffer.from('end')), pool, into, 0)).toBe(3);
    expect(into.map((index) => pool.value(index).toString())).toEqual(['end', '']);
    expect(await readSlots(shortFile(99), pool, into, 0)).toBe(0);
    expect(await readSlots(shortFile(99), pool, [], 0)).toBe(0);
  });

  it('fail where the disk takes nothing, and where a slot was put back', async () => {
    const { pool, indexes } = filled();
    await expect(writeSlots(shortFile(0), pool, indexes, 0)).rejects.toMatchObject({ code: 'ENOSPC' });
    pool.put(indexes[0]!);
    await expect(writeSlots(shortFile(9), pool, indexes, 0)).rejects.toThrow(StaleIndex);
    await expect(readSlots(shortFile(9), pool, indexes, 0)).rejects.toThrow(StaleIndex);
  });

  it('take more slots than the system takes in one call', async () => {
    const pool = new Pool({ tiers: [{ bytes: 16, slots: 2500 }] });
    const indexes = Array.from({ length: 2500 }, (_, at) => {
      const index = pool.get(16);
      pool.setValue(index, Buffer.from(String(at)));
      return index;
    });
    const expected = indexes.map((_, at) => at).join('');
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-'));
    try {
      const name = path.join(directory, 'file');
      const file = await openVectored(name, 'create', { durable: true });
      expect(await writeSlots(file, pool, indexes, 0)).toBe(expected.length);
      await file.sync();
      await file.close();
      expect(fs.readFileSync(name, 'utf8')).toBe(expected);
      expect(fs.statSync(name).mode & 0o777).toBe(0o600);
      const again = await openVectored(name, 'read');
      expect(await readSlots(again, pool, indexes, 0)).toBe(expected.length);
      expect(indexes.map((index) => pool.value(index).toString()).join('')).toBe(expected);
      await again.close();
      await expect(openVectored(name, 'create')).rejects.toMatchObject({ code: 'EEXIST' });
      await (await openVectored(name, 'write')).close();
    } finally {
      fs.rmSync(directory, { recursive: true, force: true });
    }
  });
});
