// Rows "seek and reset to earliest, latest, an offset, a time" and "stream from the start, skipping n, from the n-th last,
// from an offset".

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LogClosed, OffsetOutOfRange } from '../../buffer/errors.ts';
import type { LogOptions } from '../../buffer/log_options.ts';
import type { Place } from '../../buffer/place.ts';
import { appendDurably, LogOnMemory, openedOnMemory, readAll } from './log_on_memory.ts';
import { systemError } from './memory_file_system.ts';

/** Eleven entries a second apart, two to a segment or so. */
async function timed(options: Partial<LogOptions> = { segment: { maxBytes: 100 } }) {
  const opened = await openedOnMemory(options);
  const times: number[] = [];
  for (let index = 0; index < 11; index++) {
    times.push(opened.on.clock.now());
    await appendDurably(opened.shard, `${index}`);
    opened.on.clock.advance(1000);
  }
  return { ...opened, times, group: await opened.stream.group('g') };
}

describe('a reader', () => {
  it('begins at the earliest, the latest, an offset, a time, behind n or at the n-th last', async () => {
    const { log, shard, group, times } = await timed();
    expect(shard.segments.length).toBeGreaterThan(2);
    const cases: [Place, number][] = [
      ['earliest', 0],
      ['latest', 11],
      [4, 4],
      [{ skip: 3 }, 3],
      [{ skip: 99 }, 11],
      [{ last: 2 }, 9],
      [{ last: 0 }, 11],
      [{ last: 99 }, 0],
      [{ time_ms: 0 }, 0],
      [{ time_ms: times[10]! + 1 }, 11],
    ];
    for (const [index, time_ms] of times.entries()) {
      cases.push([{ time_ms }, index], [{ time_ms: time_ms - 1 }, index]);
    }
    const reader = group.reader(shard);
    for (const [place, offset] of cases) {
      expect([place, await reader.seekTo(place)]).toEqual([place, offset]);
      expect((await readAll(reader))[0]?.offset).toBe(offset === 11 ? undefined : offset);
    }
    reader.close();
    await log.close();
  });

  it('finds a time in one large segment, many index points and frames, also after it was opened again', async () => {
    const { on, log, stream, shard } = await openedOnMemory();
    const times: number[] = [];
    const large = 'x'.repeat(300_000);
    for (let index = 0; index < 30; index++) {
      for (let one = 0; one < 3; one++) times.push(on.clock.now() + one);
      for (let one = 0; one < 3; one++) {
        shard.append([Buffer.from(one === 1 ? large : `${index}.${one}`)]);
        on.clock.advance(1);
      }
      await shard.durable(shard.logEnd - 1);
      on.clock.advance(500);
    }
    expect(shard.segments[0]!.points.length).toBeGreaterThan(4);
    const check = async (reader: { seekTo(place: Place): Promise<number> }): Promise<void> => {
      for (let offset = 0; offset < times.length; offset += 7) {
        expect(await reader.seekTo({ time_ms: times[offset]! })).toBe(offset);
      }
    };
    await check((await stream.group('g')).reader(shard));
    await log.close();
    const again = await openedOnMemory({}, on.killed());
    await check((await again.stream.group('g')).reader(again.shard));
    await again.log.close();
  });

  it('counts by entries where offsets are missing, as a list of the entries would', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
        fc.nat(14),
        async (fails, n) => {
          const { on, log, stream, shard } = await openedOnMemory();
          const kept: number[] = [];
          for (const fail of fails) {
            on.fileSystem.hook = (operation, path) => {
              if (fail && operation === 'sync' && path.endsWith('.log')) throw systemError('EIO');
            };
            const first = appendDurably(shard, 'a', 'b');
            if (fail) await expect(first).rejects.toThrow();
            else kept.push(await first, (await first) + 1);
            on.fileSystem.hook = () => {};
            on.clock.advance(60_000);
          }
          const reader = (await stream.group('g')).reader(shard);
          await reader.seekTo({ skip: n });
          expect((await readAll(reader)).map((one) => one.offset)).toEqual(kept.slice(n));
          await reader.seekTo({ last: n });
          expect((await readAll(reader)).map((one) => one.offset)).toEqual(n === 0 ? [] : kept.slice(-n));
          await log.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('finds a time behind damage', async () => {
    const { on, log, shard, group, times } = await timed({});
    on.disk.bytes(`/log/s/0/${'0'.repeat(20)}.log`)[45]! ^= 1;
    expect(await group.reader(shard).seekTo({ time_ms: times[5]! })).toBe(5);
    await log.close();
  });

  it('begins with the oldest entry where a time lies before it, and refuses offsets that are gone', async () => {
    const { log, shard, group, times } = await timed();
    void group.commit(shard, 8);
    await log.retain();
    expect(shard.logStart).toBeGreaterThan(2);
    const reader = group.reader(shard);
    expect(await reader.seekTo({ time_ms: times[0]! })).toBe(shard.logStart);
    expect(await reader.seekTo({ skip: 1 })).toBe(shard.logStart + 1);
    for (const place of [0, 12, -1, 1.5, { skip: -1 }, { last: 0.5 }, { time_ms: Number.NaN }]) {
      await expect(reader.seekTo(place)).rejects.toBeInstanceOf(OffsetOutOfRange);
    }
    await log.close();
  });
});

describe('a group', () => {
  it('seeks and resets to earliest, latest, an offset, a time: back too, durably', async () => {
    const { on, log, shard, group, times } = await timed();
    await group.seek(shard, 'latest');
    const places: [Place, number][] = [
      ['earliest', 0],
      [7, 7],
      [{ time_ms: times[3]! }, 3],
      ['latest', 11],
      [{ last: 4 }, 7],
    ];
    for (const [place, offset] of places) {
      await group.reset(place);
      expect(group.committed(shard)).toBe(offset);
      // Neither a crash nor a damaged slot takes the reader back to where it was.
      for (const slot of [0, 4096]) {
        const damaged = on.killed();
        damaged.disk.bytes('/log/s/0/offsets')[slot + 30]! ^= 1;
        const again = await openedOnMemory({}, damaged);
        expect((await again.stream.group('g')).committed(again.shard)).toBe(offset);
        await again.log.close();
      }
    }
    await log.close();
  });

  it('forgets what was acknowledged ahead when it is moved', async () => {
    const { log, shard, group } = await timed();
    group.ack(shard, 1, 5);
    await group.seek(shard, 'earliest');
    group.ack(shard, 0);
    expect(group.committed(shard)).toBe(1);
    await log.close();
  });

  it('moves no shard where one of them does not have the offset', async () => {
    const on = new LogOnMemory();
    const log = await on.open();
    const stream = await log.stream('s', { shards: 2 });
    await appendDurably(stream.shards[0]!, 'a', 'b');
    const group = await stream.group('g');
    await expect(group.reset(1)).rejects.toBeInstanceOf(OffsetOutOfRange);
    expect(stream.shards.map((shard) => group.committed(shard))).toEqual([0, 0]);
    await log.close();
    await expect(group.reset('latest')).rejects.toBeInstanceOf(LogClosed);
  });
});
