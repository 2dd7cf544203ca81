import { describe, expect, it } from '@jest/globals';
import { Deferred } from '../../buffer/deferred.ts';
import { DirectMemory } from '../../buffer/direct_memory.ts';

function memoryOf(pieces: Buffer[]): DirectMemory {
  return new DirectMemory({
    directMemory: () => {
      pieces.push(Buffer.alloc(8));
      return pieces.at(-1)!;
    },
  });
}

describe('memory for direct writes', () => {
  it('is lent to one commit at a time, and who finds none waits', async () => {
    const pieces: Buffer[] = [];
    const memory = memoryOf(pieces);
    const held = new Set<Buffer>();
    const ends = Array.from({ length: 10 }, () => new Deferred());
    const lent = ends.map((end) =>
      memory.lend(async (piece) => {
        expect(held.has(piece)).toBe(false);
        held.add(piece);
        await end.promise;
        held.delete(piece);
      }),
    );
    expect(held.size).toBe(4);
    for (const end of ends) end.resolve();
    await Promise.all(lent);
    expect(pieces).toHaveLength(4);
  });

  it('is kept by somebody only where enough is left, and lent again once it is given back', async () => {
    const pieces: Buffer[] = [];
    const memory = memoryOf(pieces);
    const kept = [memory.spare(2), memory.spare(2)];
    expect(new Set(kept)).toEqual(new Set(pieces));
    expect(pieces).toHaveLength(2);
    expect(memory.spare(2)).toBeUndefined();
    memory.give(kept[0]!);
    expect(memory.spare(2)).toBe(kept[0]);
    const ends = [new Deferred(), new Deferred(), new Deferred()];
    const held: Buffer[] = [];
    const lent = ends.map((end) =>
      memory.lend((piece) => {
        held.push(piece);
        return end.promise;
      }),
    );
    expect(held).toHaveLength(2);
    memory.give(kept[1]!);
    await Promise.resolve();
    expect(held[2]).toBe(kept[1]);
    for (const end of ends) end.resolve();
    await Promise.all(lent);
  });

  it('comes back from who failed', async () => {
    const pieces: Buffer[] = [];
    const memory = memoryOf(pieces);
    for (let each = 0; each < 9; each++) {
      await expect(memory.lend(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    }
    expect(pieces).toHaveLength(1);
  });
});
