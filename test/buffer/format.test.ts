// FORMAT.md and the program agree: files that the log wrote are decoded here by the document's tables and by nothing else.

import { crc32 } from 'node:zlib';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { decode, decodeFrames, document, newestSlot, sizeOf, table } from './format_tables.ts';
import { appendDurably, LogOnMemory } from './log_on_memory.ts';

const LARGE = 40_000;
const SEGMENT = '00000000000000000000';
let on: LogOnMemory;
const file = (name: string): Buffer => on.disk.bytes(`/log/${name}`);

beforeAll(async () => {
  on = new LogOnMemory();
  on.clock.wall_ms = 1_700_000_000_000;
  const log = await on.open({ segment: { maxBytes: 90_000 } });
  const stream = await log.stream('a.b');
  const shard = stream.shardOf(0);
  const group = await stream.group('x/y');
  await stream.group('debug', { protect: false });
  shard.append([Buffer.from('first'), Buffer.alloc(0)]);
  on.clock.wall_ms += 300;
  await appendDurably(shard, 'third');
  shard.append([1, 2].map((value) => Buffer.alloc(LARGE, value)));
  await shard.durable(4);
  // A failed commit, then a second segment.
  on.disk.capacity_bytes = on.disk.used_bytes + 10;
  await expect(appendDurably(shard, 'x'.repeat(9000), 'failed')).rejects.toThrow();
  on.disk.capacity_bytes = Number.POSITIVE_INFINITY;
  on.clock.advance(10_000);
  shard.append([Buffer.alloc(LARGE, 3)]);
  await shard.durable(7);
  shard.append([Buffer.alloc(LARGE, 4)]);
  await shard.durable(8);
  void group.commit(shard, 3);
  await log.close();
});

describe('FORMAT.md', () => {
  it('has tables without gap or overlap', () => {
    expect(sizeOf(table('Frame header'))).toBe(40);
    expect(sizeOf(table('Compressed frame body'))).toBe(4);
    expect(sizeOf(table('Index header'))).toBe(64);
    expect(sizeOf(table('Index point'))).toBe(16);
    expect(sizeOf(table('Slot'))).toBe(20);
    expect(sizeOf(table('Ledger payload'))).toBe(140);
    expect(sizeOf(table('Ledger range'))).toBe(17);
    expect(sizeOf(table('Offsets record'))).toBe(10);
  });

  it('names every file that a log has', () => {
    const names = on.disk
      .paths()
      .map((name) => name.replace(/\d{20}/g, '<base offset, 20 digits>').replace(/.*\//, ''));
    for (const name of new Set(names)) expect(document).toContain(name);
  });

  it('describes frames: every byte of a segment is accounted for', () => {
    const bytes = file(`a.b/0/${SEGMENT}.log`);
    const key = decode(table('Ledger payload'), newestSlot(file('a.b/0/ledger'))['payload'] as Buffer);
    expect([key['headerKey'], key['bodyKey']]).not.toContain(0);
    const seen = decodeFrames(bytes, key);
    expect(seen.every(({ values }) => values['epoch'] === 1)).toBe(true);
    const short = seen.map(({ values, entries, deltas }) => [
      values['flags'],
      values['baseOffset'],
      Number(values['baseOffset']) - Number(values['behind']),
      entries.map((entry) => (entry.length === LARGE ? `large ${entry[0]}` : String(entry))),
      deltas,
    ]);
    expect(short).toEqual([
      [0, 0, 0, ['first', '', 'third'], [0, 0, 300]],
      [1, 3, 3, ['large 1'], [0]],
      [2, 4, 3, ['large 2'], [0]],
    ]);
    expect(seen[0]!.values['timestamp']).toBe(1_700_000_000_000);
  });

  it('describes the index of a sealed segment', () => {
    const index = file(`a.b/0/${SEGMENT}.index`);
    const values = decode(table('Index header'), index);
    expect(String(values['magic'])).toBe('HFIX');
    expect(values).toMatchObject({ version: 1, base: 0, end: 5, bytes: file(`a.b/0/${SEGMENT}.log`).length });
    expect(values['firstTimestamp']).toBe(1_700_000_000_000);
    expect(values['lastTimestamp']).toBe(1_700_000_000_300);
    expect(index.length).toBe(64 + 16 * Number(values['points']));
    expect(crc32(index.subarray(64), crc32(index.subarray(0, 60)))).toBe(values['crc']);
    expect(decode(table('Index point'), index, 64)).toEqual({ offset: 0, position: 0 });
  });

  it('describes the ledger', () => {
    const slot = newestSlot(file('a.b/0/ledger'));
    expect(String(slot['magic'])).toBe('HFLG');
    const payload = slot['payload'] as Buffer;
    const values = decode(table('Ledger payload'), payload);
    expect(values).toMatchObject({
      logStart: 0,
      watermark: 9,
      deletedConsumed: 0,
      dropped_max_age: 0,
      ranges: 1,
    });
    expect(payload.length).toBe(140 + 17);
    expect(decode(table('Ledger range'), payload, 140)).toEqual({ from: 5, to: 7, kind: 0 });
  });

  it('describes the committed offsets', () => {
    const slot = newestSlot(file('a.b/0/offsets'));
    expect(String(slot['magic'])).toBe('HFOF');
    const payload = slot['payload'] as Buffer;
    const first = decode(table('Offsets record'), payload);
    expect({ ...first, name: String(first['name']) }).toEqual({
      nameLength: 3,
      flags: 1,
      committed: 3,
      name: 'x/y',
    });
    const second = decode(table('Offsets record'), payload, 13);
    expect({ ...second, name: String(second['name']) }).toEqual({
      nameLength: 5,
      flags: 0,
      committed: 0,
      name: 'debug',
    });
    expect(payload.length).toBe(13 + 15);
  });

  it('describes the owner and the lock', () => {
    const slot = newestSlot(file('owner'));
    expect(String(slot['magic'])).toBe('HFOW');
    const owner = JSON.parse(String(slot['payload'])) as Record<string, unknown>;
    expect(Object.keys(owner)).toEqual(['format', 'epoch', 'pid', 'since', 'running_ms', 'key', 'released']);
    const ledger = decode(table('Ledger payload'), newestSlot(file('a.b/0/ledger'))['payload'] as Buffer);
    const key = Buffer.alloc(8);
    key.writeUInt32LE(Number(ledger['headerKey']), 0);
    key.writeUInt32LE(Number(ledger['bodyKey']), 4);
    expect(owner['key']).toBe(key.toString('hex'));
    expect(owner).toMatchObject({ format: 1, epoch: 1, pid: process.pid });
    expect(file('lock').length).toBe(0);
  });
});
