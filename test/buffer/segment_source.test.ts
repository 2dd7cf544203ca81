// The bytes of a segment past the page cache: the same as through it wherever a read begins, ends, or is cut short, and the
// next ones are under way while the last ones are looked at.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Deferred } from '../../buffer/deferred.ts';
import { DirectMemory } from '../../buffer/direct_memory.ts';
import { AlignedMemoryUnavailable } from '../../buffer/pool/errors.ts';
import { DIRECT_BLOCK_BYTES, type File } from '../../buffer/ports/file_system.ts';
import { CachedSource, DirectSource } from '../../buffer/segment_source.ts';
import { readFully } from '../../buffer/whole_io.ts';
import { MemoryFile, systemError } from './memory_file_system.ts';

const SECTOR_BYTES = 512;

function content(bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, at) => (at * 7 + (at >> 8) * 13) & 0xff));
}

function memoryOf(pieces: number, blocks: number): DirectMemory {
  return new DirectMemory({ directMemory: () => Buffer.alloc(blocks * DIRECT_BLOCK_BYTES, 0xee) }, pieces);
}

interface Asked {
  readonly position: number;
  readonly length: number;
}

/** A file with its source, which tells what it was asked for; `answer` may change or hold back what a read gives. */
function opened(bytes: Buffer, memory = memoryOf(8, 2), answer = async (read: number, _nth: number) => read) {
  const asked: Asked[] = [];
  const closed: string[] = [];
  const direct = watched('direct', true);
  function watched(name: string, whole: boolean): File {
    const file = new MemoryFile(bytes);
    file.direct = whole;
    const underneath = file.read.bind(file);
    const read: File['read'] = async (into, position) => {
      const nth = asked.push({ position, length: into.length }) - 1;
      // The memory is written to when the disk answers.
      const there = Buffer.alloc(into.length);
      const given = await answer(await underneath(there, position), nth);
      into.set(there.subarray(0, given));
      return given;
    };
    const close = async (): Promise<void> => void closed.push(name);
    return Object.assign(file, { read: whole ? read : underneath, close });
  }
  const source = new DirectSource(direct, memory, bytes.length, async () => watched('cached', false));
  return { source, asked, closed };
}

async function textAt(source: DirectSource, position: number, length: number): Promise<Buffer> {
  const into = Buffer.alloc(length);
  return into.subarray(0, await readFully(source, into, position));
}

describe('a segment that is read past the page cache', () => {
  it('gives the bytes that stand there, wherever a read begins and ends, however short the disk stops', async () => {
    const step = fc.record({
      position: fc.option(fc.integer({ min: 0, max: 45_000 }), { nil: undefined }),
      length: fc.integer({ min: 1, max: 20_000 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 40_000 }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(step, { maxLength: 20 }),
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 8 }),
        async (size, blocks, steps, shorts) => {
          const bytes = content(size);
          const { source } = opened(bytes, memoryOf(4, blocks), async (read, nth) => {
            const kept = read - shorts[nth % shorts.length]! * SECTOR_BYTES;
            return shorts[nth % shorts.length] === 0 || kept <= 0
              ? read
              : kept - (kept % SECTOR_BYTES) || read;
          });
          let next = 0;
          for (const { position = next, length } of steps) {
            const text = await textAt(source, position, length);
            expect(text.equals(bytes.subarray(position, position + length))).toBe(true);
            next = position + text.length;
          }
          await source.close();
        },
      ),
    );
  });

  it('reads on while nobody asks, once a reader has gone on from where it ended', async () => {
    const gates = Array.from({ length: 10 }, () => new Deferred());
    for (const gate of gates.slice(0, 2)) gate.resolve();
    const { source, asked } = opened(content(40_000), memoryOf(8, 2), async (read, nth) => {
      await gates[nth]!.promise;
      return read;
    });
    const piece = Buffer.alloc(2 * DIRECT_BLOCK_BYTES);
    await source.read(piece, 0);
    expect(asked).toHaveLength(1);
    await source.read(piece, 8192);
    // The third read is under way, and its answer has not come: whoever looks at the second is not held up.
    expect(asked.at(-1)).toEqual({ position: 16_384, length: 8192 });
    const third = source.read(piece, 16_384);
    expect(asked).toHaveLength(3);
    gates[2]!.resolve();
    expect(await third).toBe(8192);
    expect(piece.equals(content(40_000).subarray(16_384, 24_576))).toBe(true);
    expect(asked.at(-1)).toEqual({ position: 24_576, length: 8192 });
    for (const gate of gates) gate.resolve();
    await source.close();
  });

  it('is read once, from its beginning to its end, and not beyond', async () => {
    const { source, asked } = opened(content(30_000));
    for (let at = 0; at < 30_000; ) at += await source.read(Buffer.alloc(8192), at);
    expect(asked.map(({ position }) => position)).toEqual([0, 8192, 16_384, 24_576]);
    expect(await source.read(Buffer.alloc(10), 30_000)).toBe(0);
    await source.close();
  });

  it('takes no part in what a read-ahead met: the bytes are asked for again, and the error is told then', async () => {
    let failing = false;
    const { source } = opened(content(30_000), memoryOf(8, 2), async (read) => {
      if (failing) throw systemError('EIO');
      return read;
    });
    const piece = Buffer.alloc(8192);
    await source.read(piece, 0);
    failing = true;
    await source.read(piece, 8192).catch(() => {});
    await expect(source.read(piece, 8192)).rejects.toThrow('EIO');
    failing = false;
    await source.read(piece, 8192);
    expect(piece.equals(content(30_000).subarray(8192, 16_384))).toBe(true);
    await source.close();
  });

  it.each([0, 1, 2, 3])('goes on through the page cache where read %i is refused', async (refused) => {
    const { source, closed } = opened(content(30_000), memoryOf(8, 1), async (read, nth) => {
      if (nth >= refused) throw systemError('EINVAL');
      return read;
    });
    expect((await textAt(source, 100, 29_000)).equals(content(30_000).subarray(100, 29_100))).toBe(true);
    expect(closed).toEqual(['direct']);
    await source.close();
    expect(closed).toEqual(['direct', 'cached']);
  });

  it('goes on through the page cache where there is no aligned memory', async () => {
    const none = new DirectMemory({
      directMemory: () => {
        throw new AlignedMemoryUnavailable(4096);
      },
    });
    const { source } = opened(content(9000), none);
    expect((await textAt(source, 0, 9000)).equals(content(9000))).toBe(true);
    await source.close();
  });

  it('takes memory ahead for a few readers only, and gives it back when one rests or closes', async () => {
    const memory = memoryOf(4, 1);
    const gone: DirectSource[] = [];
    const goingOn = async () => {
      const { source, asked } = opened(content(30_000), memory);
      await source.read(Buffer.alloc(4096), 0);
      await source.read(Buffer.alloc(4096), 4096);
      gone.push(source);
      return asked.length - 2;
    };
    expect([await goingOn(), await goingOn(), await goingOn(), await goingOn()]).toEqual([1, 1, 0, 0]);
    gone[0]!.rest();
    await gone[1]!.close();
    expect([await goingOn(), await goingOn(), await goingOn()]).toEqual([1, 1, 0]);
    for (const source of gone) if (source !== gone[1]) await source.close();
  });

  it('takes the memory from who does not come back, and from nobody who does', async () => {
    const memory = memoryOf(4, 1);
    const bytes = content(400_000);
    const away = [opened(bytes, memory), opened(bytes, memory)];
    const coming = opened(bytes, memory);
    const piece = Buffer.alloc(4096);
    for (const { source } of away) {
      await source.read(piece, 0);
      await source.read(piece, 4096);
    }
    // One who is away and one who comes have the memory. Another comes as often, and waits for his turn of it.
    const [gone, stays] = away as [ReturnType<typeof opened>, ReturnType<typeof opened>];
    let ahead = 0;
    for (let at = 0; ahead === 0 && at < 400_000; at += 4096) {
      await coming.source.read(piece, at);
      await stays.source.read(piece, 8192 + at);
      expect(stays.asked.at(-1)?.position).toBe(12_288 + at);
      ahead = coming.asked.at(-1)!.position - at;
    }
    expect(ahead).toBe(4096);
    expect(stays.asked.map(({ position }) => position)).toEqual(stays.asked.map((_, nth) => 4096 * nth));
    // Who comes back reads what is there.
    await gone.source.read(piece, 8192);
    expect(piece.equals(bytes.subarray(8192, 12_288))).toBe(true);
    for (const { source } of [gone, stays, coming]) await source.close();
  });

  it('is given to nobody else while a read looks at it, however long the disk takes', async () => {
    const memory = memoryOf(3, 1);
    const bytes = content(400_000);
    const gate = new Deferred();
    const slow = opened(bytes, memory, async (read, nth) => {
      if (nth === 2) await gate.promise;
      return read;
    });
    const piece = Buffer.alloc(4096);
    await slow.source.read(piece, 0);
    await slow.source.read(piece, 4096);
    const reading = slow.source.read(piece, 8192);
    const other = opened(Buffer.from(bytes).reverse(), memory);
    const into = Buffer.alloc(4096);
    for (let at = 0; at < 200_000; at += 4096) await other.source.read(into, at);
    expect(other.asked).toHaveLength(Math.ceil(200_000 / 4096));
    gate.resolve();
    expect(await reading).toBe(4096);
    expect(piece.equals(content(400_000).subarray(8192, 12_288))).toBe(true);
    await other.source.close();
    await slow.source.close();
  });

  it('gives each of many readers its own bytes, whoever has the memory', async () => {
    const bytes = content(200_000);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 3, max: 5 }),
        fc.array(fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 4 }), { maxLength: 60 }),
        async (pieces, rounds) => {
          const memory = memoryOf(pieces, 1);
          const readers = Array.from({ length: 7 }, (_, nth) => {
            const own = bytes.subarray(nth * 100);
            return { ...opened(own, memory), own, next: 0, busy: false };
          });
          for (const round of rounds) {
            const reading = new Set(round);
            await Promise.all(
              Array.from(reading, async (nth) => {
                const reader = readers[nth]!;
                for (let times = 0; times < 4; times += 1) {
                  const piece = Buffer.alloc(3000);
                  const read = await reader.source.read(piece, reader.next);
                  expect(
                    piece.subarray(0, read).equals(reader.own.subarray(reader.next, reader.next + read)),
                  ).toBe(true);
                  reader.next += read;
                }
              }),
            );
          }
          for (const { source } of readers) await source.close();
        },
      ),
    );
  });

  it('keeps its file until a read-ahead that nobody wants any more has ended', async () => {
    const gate = new Deferred();
    const { source, closed } = opened(content(30_000), memoryOf(8, 1), async (read, nth) => {
      if (nth === 2) await gate.promise;
      return read;
    });
    await source.read(Buffer.alloc(4096), 0);
    await source.read(Buffer.alloc(4096), 4096);
    source.rest();
    const close = source.close();
    await Promise.resolve();
    expect(closed).toEqual([]);
    gate.resolve();
    await close;
    expect(closed).toEqual(['direct']);
  });
});

it('a segment that is read through the page cache is read as it is', async () => {
  const source = new CachedSource(new MemoryFile(content(100)));
  const into = Buffer.alloc(10);
  expect(await source.read(into, 95)).toBe(5);
  source.rest();
  await source.close();
});
