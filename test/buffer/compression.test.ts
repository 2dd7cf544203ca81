// Compressed frames: written smaller, read as they were, by every way there is to read, and none that is not worth it.

import { randomBytes } from 'node:crypto';
import { crc32, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { tracesRequest } from '../../bench/load/payload.ts';
import { BlockPool } from '../../buffer/block_pool.ts';
import { Chain } from '../../buffer/chain.ts';
import { type CompressionOptions, Compressor, looksCompressible, unpack } from '../../buffer/compression.ts';
import { InvalidOption } from '../../buffer/errors.ts';
import { FRAME_HEADER_BYTES, isPacked, readFrameHeader } from '../../buffer/frame.ts';
import type { Codec } from '../../buffer/ports/codec.ts';
import { zstdInLine } from '../../buffer/ports/codec.ts';
import { appendDurably, LogOnMemory, openedOnMemory, readAll } from './log_on_memory.ts';
import { KEY, placesOf } from './written_segment.ts';

const ZSTD: CompressionOptions = { codec: 'zstd' };
const line = (index: number): string => `${index} ${'lazy dog '.repeat(200)}`;

/** The log on memory with a codec that takes its turn like everything else. */
const compressing = (options = ZSTD) => ({ codec: zstdInLine, compression: options });

function chainOf(batches: readonly (readonly Uint8Array[])[]): Chain {
  const chain = new Chain(new BlockPool(0), 3, KEY);
  chain.reset(100);
  for (const batch of batches) chain.appendBatch(batch, 1_700_000_000_000, 90);
  chain.seal();
  return chain;
}

const bytesOf = (chain: Chain): Buffer =>
  Buffer.concat(chain.blocks.map((block) => block.memory.subarray(0, block.used)));

async function bodiesOf(bytes: Buffer) {
  const bodies = [];
  for (const { position } of placesOf(bytes)) {
    const header = readFrameHeader(bytes, position, KEY)!;
    const at = position + FRAME_HEADER_BYTES;
    const body = bytes.subarray(at, at + header.bodyBytes);
    const raw = isPacked(header) ? (await unpack(zstdInLine, body))! : body;
    bodies.push({ ...header, flags: header.flags & 3, bodyBytes: raw.length, bodyCrc: crc32(raw) });
  }
  return bodies;
}

describe('a chain that is compressed', () => {
  it('holds the same frames in fewer bytes, whatever is in it', async () => {
    const entry = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.nat(3000).map((length) => Buffer.alloc(length, 'span ')),
      fc.constantFrom(randomBytes(5000), Buffer.alloc(200_000, 'large '), randomBytes(150_000)),
    );
    const batch = fc.array(entry, { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 8 }), async (batches) => {
        const [chain, raw] = [chainOf(batches), chainOf(batches)];
        const compressor = new Compressor(zstdInLine, KEY);
        compressor.configure({ codec: 'zstd', minBytes: 100 });
        await compressor.compress(chain, false);
        const bytes = bytesOf(chain);
        expect(bytes.length).toBe(chain.bytes);
        expect(await bodiesOf(bytes)).toEqual(await bodiesOf(bytesOf(raw)));
        const { frames, skipped, raw_bytes, stored_bytes } = compressor.stats;
        expect(frames + skipped).toBe(placesOf(bytes).length);
        expect(raw.bytes - chain.bytes).toBe(raw_bytes - stored_bytes);
        expect(stored_bytes).toBeLessThanOrEqual(0.95 * raw_bytes);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps frames as they are below the least size, where nothing is gained, and where the codec fails', async () => {
    const tried: number[] = [];
    const failing: Codec = {
      ...zstdInLine,
      compress: async (raw) => {
        tried.push(raw.length);
        throw new Error('no memory');
      },
    };
    const batches = [[Buffer.alloc(300, 'a')], [randomBytes(70_000)], [Buffer.alloc(90_000, 'b')]];
    const chain = chainOf(batches);
    const before = bytesOf(chain);
    const compressor = new Compressor(failing, KEY);
    expect(compressor.compress(chain, true)).toBeUndefined();
    compressor.configure({ codec: 'zstd', minBytes: 1000 });
    await compressor.compress(chain, false);
    expect(bytesOf(chain).equals(before)).toBe(true);
    expect(tried.map((bytes) => bytes >= 90_000)).toEqual([true]);
    expect(compressor.stats).toEqual({ frames: 0, raw_bytes: 0, stored_bytes: 0, skipped: 3, ratio: 1 });
  });

  it('is worked on by three at a time, so that the disk has a thread left', async () => {
    let [running, most] = [0, 0];
    const counting: Codec = {
      ...zstdInLine,
      compress: async (raw, level) => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        const packed = await zstdInLine.compress(raw, level);
        running -= 1;
        return packed;
      },
    };
    const chain = chainOf([Array.from({ length: 40 }, (_, index) => Buffer.alloc(30_000, `${index} and `))]);
    const compressor = new Compressor(counting, KEY);
    compressor.configure(ZSTD);
    await compressor.compress(chain, false);
    expect(most).toBe(3);
    expect(compressor.stats.frames).toBe(placesOf(bytesOf(chain)).length);
  });

  it('is not tried where the bytes look like chance', () => {
    const spans = Buffer.from(Array.from({ length: 400 }, (_, index) => line(index)).join('\n'));
    const packed = gzipSync(tracesRequest(1, 200));
    expect(looksCompressible(spans, 0, spans.length)).toBe(true);
    expect(looksCompressible(spans, 100, 1200)).toBe(true);
    expect(looksCompressible(packed, 0, packed.length)).toBe(false);
    for (let round = 0; round < 50; round++) {
      const chance = randomBytes(1024 + round * 900);
      expect(looksCompressible(chance, 0, chance.length)).toBe(false);
    }
  });
});

describe('a compressed body', () => {
  it('gives what was compressed or nothing, whatever is done to it, and never more than it says', async () => {
    const raw = Buffer.from(line(7));
    const whole = Buffer.concat([Buffer.alloc(4), await zstdInLine.compress(raw, 3)]);
    whole.writeUInt32LE(raw.length, 0);
    expect((await unpack(zstdInLine, whole))!.equals(raw)).toBe(true);
    const hit = fc.record({ at: fc.nat(whole.length - 1), xor: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(hit, { maxLength: 4 }), fc.nat(whole.length), async (hits, length) => {
        const body = Buffer.from(whole);
        for (const { at, xor } of hits) body[at]! ^= xor;
        const cut = body.subarray(0, length);
        const found = await unpack(zstdInLine, cut);
        if (found) expect(found.length).toBe(cut.readUInt32LE(0));
      }),
      { numRuns: 300 },
    );
    for (const bytes of [0, 3, 4, 5])
      expect(await unpack(zstdInLine, Buffer.alloc(bytes, 0xff))).toBeUndefined();
  });
});

describe('a log that compresses', () => {
  it('is read back the same from memory, from files, and after it was opened anew', async () => {
    const { on, log, stream, shard } = await openedOnMemory({
      ...compressing(),
      segment: { maxBytes: 8000 },
    });
    const expected = Array.from({ length: 60 }, (_, index) => ({ offset: index, text: line(index) }));
    const hot = (await stream.group('hot')).reader(shard);
    for (let index = 0; index < 60; index += 3) {
      await appendDurably(shard, line(index), line(index + 1), line(index + 2));
    }
    const { compression, bytes } = shard.stats();
    expect(compression.frames).toBe(20);
    expect(compression.raw_bytes).toBeGreaterThan(8 * compression.stored_bytes);
    expect(bytes).toBe(compression.stored_bytes + 20 * FRAME_HEADER_BYTES);
    expect(log.stats().used_bytes).toBe(bytes);
    expect(compression.ratio).toBe(compression.raw_bytes / compression.stored_bytes);
    expect(log.stats().total.compression).toEqual(compression);
    expect(stream.stats().compression).toEqual(compression);
    const reads = on.fileSystem.count('read');
    expect(await readAll(hot)).toEqual(expected);
    expect(on.fileSystem.count('read')).toBe(reads);
    hot.close();
    expect(await readAll((await stream.group('cold')).reader(shard))).toEqual(expected);
    await log.close();
    // Who does not compress reads what was compressed.
    const again = await openedOnMemory({ codec: zstdInLine }, on);
    expect(await readAll((await again.stream.group('new')).reader(again.shard))).toEqual(expected);
    await again.log.close();
  });

  it('decompresses nothing for readers that have caught up, and lets go of what it kept for them', async () => {
    let decompressed = 0;
    const counting: Codec = {
      ...zstdInLine,
      decompress: (packed, raw_bytes) => {
        decompressed += 1;
        return zstdInLine.decompress(packed, raw_bytes);
      },
    };
    const { log, stream, shard } = await openedOnMemory({ codec: counting, compression: ZSTD });
    await appendDurably(shard, line(0));
    const readers = await Promise.all(
      ['a', 'b'].map(async (name) => (await stream.group(name, { start: 'latest' })).reader(shard)),
    );
    for (let index = 1; index < 20; index++) {
      await appendDurably(shard, line(index), 'small', line(index));
      for (const reader of readers) {
        const batch = (await reader.read({ wait_ms: 0 }))!;
        expect(batch.entries.map((entry) => Buffer.from(entry).toString())).toEqual([
          line(index),
          'small',
          line(index),
        ]);
        batch.release();
      }
      // The first one begins before the hot tail, in the file.
      if (index === 1) decompressed = 0;
    }
    expect(decompressed).toBe(0);
    for (const reader of readers) reader.close();
    expect(log.stats().pool.in_use_bytes).toBe(0);
    expect((await readAll((await stream.group('behind')).reader(shard))).length).toBe(58);
    expect(decompressed).toBe(20);
    await log.close();
  });

  it('begins anywhere in a compressed frame: at an offset, at a time, in parts of a batch', async () => {
    const { on, log, stream, shard } = await openedOnMemory(compressing());
    on.clock.wall_ms = 1_700_000_000_000;
    for (let index = 0; index < 10; index++) {
      on.clock.wall_ms += 1000;
      shard.append([Buffer.from(line(index))]);
    }
    await shard.durable(9);
    const reader = (await stream.group('g')).reader(shard);
    reader.seek(4);
    const some = (await reader.read({ maxEntries: 2 }))!;
    expect([...some.offsets]).toEqual([4, 5]);
    some.release();
    expect((await readAll(reader)).map(({ offset }) => offset)).toEqual([6, 7, 8, 9]);
    expect(await reader.seekTo({ time_ms: 1_700_000_000_000 + 7000 })).toBe(6);
    expect((await readAll(reader)).map(({ offset }) => offset)).toEqual([6, 7, 8, 9]);
    await log.close();
    expect(log.stats().inFlight_bytes).toBe(0);
  });

  it('lets a stream say otherwise, and a stream compress where the log does not', async () => {
    const on = new LogOnMemory();
    const log = await on.open(compressing());
    const plain = (await log.stream('plain', { compression: { codec: 'none' } })).shardOf(0);
    await appendDurably(plain, line(1));
    expect(plain.stats().compression).toMatchObject({ frames: 0, skipped: 0 });
    await log.close();
    const other = await on.open({ codec: zstdInLine });
    const packed = (await other.stream('packed', { compression: { ...ZSTD, level: 19 } })).shardOf(0);
    await appendDurably(packed, line(1));
    await appendDurably(packed, 'short');
    expect(packed.stats().compression).toMatchObject({ frames: 1, skipped: 1 });
    await other.close();
  });

  it('counts a frame that is whole but cannot be decompressed as lost, and goes on behind it', async () => {
    const liar: Codec = {
      ...zstdInLine,
      compress: (raw, level) =>
        zstdInLine.compress(raw.subarray(Buffer.from(raw).includes('bad') ? 9 : 0), level),
    };
    const { on, log, stream, shard } = await openedOnMemory({ codec: liar, compression: ZSTD });
    await appendDurably(shard, line(0));
    await appendDurably(shard, `bad ${line(1)}`, line(2));
    await appendDurably(shard, line(3));
    const reader = (await stream.group('g')).reader(shard);
    expect((await readAll(reader)).map(({ offset }) => offset)).toEqual([0, 3]);
    expect(shard.account()).toMatchObject({ appended: 4, retained: 2, quarantined: 2 });
    expect(on.reports.filter(({ level }) => level === 'error')).toHaveLength(1);
    await log.close();
  });

  it('takes a lack of memory for no damage: the read fails, and the next one reads', async () => {
    let lacking = true;
    const poor: Codec = {
      ...zstdInLine,
      decompress: (packed, raw_bytes) =>
        lacking ? Promise.reject(new Error('no memory')) : zstdInLine.decompress(packed, raw_bytes),
    };
    const { log, stream, shard } = await openedOnMemory({ codec: poor, compression: ZSTD });
    await appendDurably(shard, line(0));
    const reader = (await stream.group('g')).reader(shard);
    await expect(reader.read({ wait_ms: 0 })).rejects.toThrow('no memory');
    lacking = false;
    expect(await readAll(reader)).toEqual([{ offset: 0, text: line(0) }]);
    expect(shard.account().quarantined).toBe(0);
    await log.close();
  });

  it('keeps its key in compressed frames too, where owner and ledger are lost', async () => {
    const { on, log, shard } = await openedOnMemory(compressing());
    await appendDurably(shard, line(0), line(1));
    await log.close();
    const { disk } = on;
    for (const path of ['/log/owner', '/log/s/0/ledger']) disk.bytes(path).fill(0xee);
    const again = await openedOnMemory({ codec: zstdInLine }, on);
    const read = await readAll((await again.stream.group('g')).reader(again.shard));
    expect(read.map(({ text }) => text)).toEqual([line(0), line(1)]);
    await again.log.close();
  });

  it('rejects options that cannot be', async () => {
    const on = new LogOnMemory();
    for (const compression of [
      { codec: 'gzip' },
      { codec: 'zstd', level: 0 },
      { codec: 'zstd', level: 2.5 },
      { codec: 'zstd', minBytes: -1 },
    ] as CompressionOptions[]) {
      await expect(on.open({ compression })).rejects.toThrow(InvalidOption);
    }
    await expect(on.open({ segment: { indexInterval_bytes: 100 } })).rejects.toThrow(InvalidOption);
    const log = await on.open();
    await expect(log.stream('s', { compression: { codec: 'zstd', level: 20 } })).rejects.toThrow(
      InvalidOption,
    );
    await log.close();
  });
});
