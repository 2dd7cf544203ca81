// Row "produce / fetch / commit / offsets as plain calls": a face that a network could carry, of names, numbers and bytes
// alone, on top of what the library shows. Requests and answers pass through JSON here to prove it.

import { describe, expect, it } from '@jest/globals';
import { type Group, Log, offsetText, parseOffset, type ShardReader } from '../../buffer/index.ts';
import { ManualClock } from './manual_clock.ts';
import { MemoryFileSystem } from './memory_file_system.ts';

type Request =
  | { readonly call: 'produce'; readonly stream: string; readonly key: string; readonly entries: string[] }
  | {
      readonly call: 'fetch';
      readonly group: string;
      readonly from: string;
      readonly maxEntries: number;
    }
  | { readonly call: 'commit'; readonly group: string; readonly next: string }
  | { readonly call: 'offsets'; readonly stream: string; readonly group: string };

type Answer =
  | { readonly offset: string }
  | { readonly entries: { readonly offset: string; readonly entry: string }[]; readonly next: string }
  | { readonly committed: string }
  | { readonly shards: { committed: string; earliest: string; latest: string; lag: number }[] }
  | { readonly error: string; readonly retryable: boolean };

/** What would stand behind a socket. It holds nothing that a restart must bring back. */
class Face {
  readonly #log: Log;
  readonly #readers = new Map<string, ShardReader>();

  constructor(log: Log) {
    this.#log = log;
  }

  async answer(text: string): Promise<string> {
    const request = JSON.parse(text) as Request;
    const answer: Answer = await this.#answer(request).catch(
      (error: { code: string; retryable: boolean }) => ({
        error: error.code,
        retryable: error.retryable,
      }),
    );
    return JSON.stringify(answer);
  }

  async #answer(request: Request): Promise<Answer> {
    switch (request.call) {
      case 'produce': {
        const stream = await this.#log.stream(request.stream, { shards: 2 });
        const entries = request.entries.map((entry) => Buffer.from(entry, 'base64'));
        const { shard, offset } = stream.append(request.key, entries);
        await shard.durable(offset + entries.length - 1);
        return { offset: offsetText(shard, offset) };
      }
      case 'fetch': {
        const { shard, offset } = parseOffset(request.from);
        const reader = await this.#reader(request.group, request.from);
        reader.seek(offset);
        const batch = await reader.read({ maxEntries: request.maxEntries, wait_ms: 0 });
        if (!batch) return { entries: [], next: request.from };
        const entries = batch.entries.map((entry, index) => ({
          offset: offsetText(batch.shard, batch.offsets[index]!),
          entry: Buffer.from(entry).toString('base64'),
        }));
        const next = offsetText(batch.shard, batch.next);
        batch.release();
        expect(shard).toBe(batch.shard.index);
        return { entries, next };
      }
      case 'commit': {
        const { shard, offset, stream } = parseOffset(request.next);
        const group = await this.#group(stream, request.group);
        const place = group.shards[shard]!;
        await Promise.all([group.commit(place, offset), group.flush()]);
        return { committed: offsetText(place, group.committed(place)) };
      }
      case 'offsets': {
        const group = await this.#group(request.stream, request.group);
        return {
          shards: group.shards.map((shard) => ({
            committed: offsetText(shard, group.committed(shard)),
            earliest: offsetText(shard, shard.logStart),
            latest: offsetText(shard, shard.highWatermark),
            lag: group.lag(shard).entries,
          })),
        };
      }
    }
  }

  async #group(stream: string, name: string): Promise<Group> {
    return (await this.#log.stream(stream, { shards: 2 })).group(name);
  }

  async #reader(name: string, from: string): Promise<ShardReader> {
    const { stream, shard } = parseOffset(from);
    const group = await this.#group(stream, name);
    const key = `${name} ${stream}/${shard}`;
    const reader = this.#readers.get(key) ?? group.reader(group.shards[shard]!);
    this.#readers.set(key, reader);
    return reader;
  }
}

async function served(disk: MemoryFileSystem) {
  const log = await Log.open({ directory: '/log', fileSystem: disk, clock: new ManualClock() });
  const face = new Face(log);
  const ask = async <T = Record<string, unknown>>(request: Request): Promise<T> =>
    JSON.parse(await face.answer(JSON.stringify(request))) as T;
  return { log, ask };
}

const coded = (text: string): string => Buffer.from(text).toString('base64');

describe('plain calls', () => {
  it('produce, fetch, commit and tell offsets, over a restart', async () => {
    const disk = new MemoryFileSystem();
    const { log, ask } = await served(disk);
    const entries = ['one', 'two', 'three'].map(coded);
    const { offset } = await ask<{ offset: string }>({
      call: 'produce',
      stream: 'orders',
      key: 'k',
      entries,
    });
    expect(offset).toMatch(/^orders\/[01]-0$/);
    const first = await ask<{ entries: { entry: string }[]; next: string }>({
      call: 'fetch',
      group: 'billing',
      from: offset,
      maxEntries: 2,
    });
    expect(first.entries.map(({ entry }) => Buffer.from(entry, 'base64').toString())).toEqual(['one', 'two']);
    expect(await ask({ call: 'commit', group: 'billing', next: first.next })).toEqual({
      committed: first.next,
    });
    await log.close();

    const again = await served(disk);
    const { shards } = await again.ask<{ shards: { committed: string; lag: number }[] }>({
      call: 'offsets',
      stream: 'orders',
      group: 'billing',
    });
    const own = shards.find(({ lag }) => lag > 0)!;
    expect(own).toEqual({
      committed: first.next,
      earliest: offset,
      latest: offset.replace(/0$/, '3'),
      lag: 1,
    });
    const rest = await again.ask({ call: 'fetch', group: 'billing', from: own.committed, maxEntries: 9 });
    expect(rest).toMatchObject({ entries: [{ entry: coded('three') }], next: offset.replace(/0$/, '3') });
    expect(
      await again.ask({ call: 'fetch', group: 'billing', from: offset.replace(/0$/, '3'), maxEntries: 9 }),
    ).toEqual({
      entries: [],
      next: offset.replace(/0$/, '3'),
    });
    await again.log.close();
  });

  it('answer with a code and whether to come back', async () => {
    const { log, ask } = await served(new MemoryFileSystem());
    expect(await ask({ call: 'produce', stream: 'Not A Name', key: 'k', entries: [] })).toEqual({
      error: 'HF_BUFFER_INVALID_NAME',
      retryable: false,
    });
    await ask({ call: 'produce', stream: 'orders', key: 'k', entries: [coded('x')] });
    expect(await ask({ call: 'commit', group: 'billing', next: 'orders/0-99' })).toEqual({
      error: 'HF_BUFFER_OFFSET_OUT_OF_RANGE',
      retryable: false,
    });
    expect(await ask({ call: 'fetch', group: 'billing', from: 'orders', maxEntries: 1 })).toMatchObject({
      error: 'HF_BUFFER_INVALID_OFFSET',
    });
    await log.close();
  });
});
