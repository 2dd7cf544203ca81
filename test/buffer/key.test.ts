// Entries are whatever somebody sends. Here they are perfect frames, and the header around them is damaged; and the copies
// of the key that tells them apart are damaged in turn.

import { describe, expect, it } from '@jest/globals';
import { ForeignDirectory, KeyLost } from '../../buffer/errors.ts';
import { FRAME_HEADER_BYTES, sealFrame, writeVarint } from '../../buffer/frame.ts';
import { type FrameKey, formatKey, makeKey, NO_KEY, parseKey } from '../../buffer/frame_key.ts';
import { type LogOptions, systemRandom } from '../../buffer/index.ts';
import { appendDurably, type LogOnMemory, openedOnMemory, readAll } from './log_on_memory.ts';
import { placesOf } from './written_segment.ts';

const SEGMENT = '/log/s/0/00000000000000000000.log';
const FORGED_OFFSET = 2 ** 40;

/** A whole frame of one entry as somebody outside can make it. */
function forged(key: FrameKey): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + 8);
  const at = writeVarint(frame, FRAME_HEADER_BYTES, 6);
  frame.write('forged', at + 1);
  sealFrame(frame, 0, 0, 8, FORGED_OFFSET, 1, 1_700_000_000_000, 1, FORGED_OFFSET, key);
  return frame;
}

const written = ['before', 'after', 'end'];

/** A closed log of three frames, the middle one of which holds `payload`. */
async function holding(payload: Buffer, options: Partial<LogOptions> = {}): Promise<LogOnMemory> {
  const { on, log, shard } = await openedOnMemory(options);
  await appendDurably(shard, written[0]!);
  await shard.durable(shard.append([payload]));
  await appendDurably(shard, written[1]!);
  await appendDurably(shard, written[2]!);
  await log.close();
  return on;
}

function flipOuterHeader(on: LogOnMemory): void {
  const bytes = on.disk.bytes(SEGMENT);
  bytes[placesOf(Buffer.from(bytes))[1]!.position + 20]! ^= 1;
}

async function contents(on: LogOnMemory) {
  const { log, stream, shard } = await openedOnMemory({}, on);
  const reader = (await stream.group('g')).reader(shard);
  const found = await readAll(reader);
  const { logEnd, ledger } = shard;
  const account = shard.account();
  await log.close();
  return { texts: found.map(({ text }) => text), logEnd, key: ledger.key, account };
}

describe('a frame that came from outside', () => {
  it('is not believed where the header around it is damaged', async () => {
    const on = await holding(forged(NO_KEY));
    flipOuterHeader(on);
    const found = await contents(on);
    expect(found.texts).toEqual(written);
    expect(found).toMatchObject({ logEnd: 4, account: { quarantined: 1, appended: 4 } });
  });

  it('is not believed by a reader of an open log either', async () => {
    const { on, log, stream, shard } = await openedOnMemory();
    await appendDurably(shard, written[0]!);
    await shard.durable(shard.append([forged(NO_KEY)]));
    await appendDurably(shard, written[1]!, written[2]!);
    flipOuterHeader(on);
    const found = await readAll((await stream.group('g')).reader(shard));
    expect(found.map(({ text }) => text)).toEqual(written);
    await log.close();
  });

  it('would be believed if the key were known: the attack is a real one', async () => {
    const half = { next: () => 0.5 };
    const on = await holding(forged(makeKey(half)), { random: half });
    flipOuterHeader(on);
    expect((await contents(on)).logEnd).toBeGreaterThanOrEqual(FORGED_OFFSET);
  });
});

const damage = (on: LogOnMemory, path: string, at = 0, length = on.disk.bytes(path).length): void => {
  on.disk.bytes(path).fill(0xaa, at, Math.min(on.disk.bytes(path).length, at + length));
};

describe('the key of a log', () => {
  it('is another for each log, never zero, and stays', async () => {
    const first = await openedOnMemory();
    const second = await openedOnMemory();
    const [one, two] = [first.shard.ledger.key, second.shard.ledger.key];
    expect(formatKey(one)).not.toBe(formatKey(two));
    expect(makeKey({ next: () => 0 })).toEqual({ header: 1, body: 1 });
    expect(makeKey({ next: () => 1 - 2 ** -53 }).header).toBe(0xffffffff);
    await Promise.all([first.log.close(), second.log.close()]);
    const again = await openedOnMemory({}, first.on);
    expect(again.shard.ledger.key).toEqual(one);
    await again.log.close();
  });

  it('is written in the order of its bytes', () => {
    expect(formatKey({ header: 0x04030201, body: 0x08070605 })).toBe('0102030405060708');
    const key = makeKey(systemRandom);
    expect(parseKey(formatKey(key))).toEqual(key);
    expect(parseKey(undefined)).toEqual(NO_KEY);
  });

  const owner = '/log/owner';
  const ledger = '/log/s/0/ledger';
  const cases: [string, (on: LogOnMemory) => unknown][] = [
    ['the first slot of the owner file', (on) => damage(on, owner, 0, 4096)],
    ['the second slot of the owner file', (on) => damage(on, owner, 4096)],
    ['both slots of the owner file', (on) => damage(on, owner)],
    ['the owner file, which is gone', (on) => on.disk.remove(owner)],
    ['the owner file, which is empty', (on) => on.disk.replace(owner, Buffer.alloc(0))],
    ['the first slot of the ledger', (on) => damage(on, ledger, 0, 4096)],
    ['both slots of the ledger', (on) => damage(on, ledger)],
    ['the ledger, which is gone', (on) => on.disk.remove(ledger)],
    ['owner and ledger', (on) => [owner, ledger].map((path) => damage(on, path))],
  ];
  it.each(cases)('outlives damage to %s', async (_what, harm) => {
    const on = await holding(Buffer.from('payload'));
    const { key } = await contents(on);
    await harm(on);
    const found = await contents(on);
    expect(found.texts).toEqual(['before', 'payload', 'after', 'end']);
    expect(found).toMatchObject({ logEnd: 4, key, account: { quarantined: 0 } });
  });

  it.each([...Array(2 * 8).keys()])('outlives flipped bits in sector %i of the owner file', async (at) => {
    const on = await holding(Buffer.from('payload'));
    for (const within of [0, 5, 17, 30, 120]) on.disk.bytes(owner)[at * 512 + within]! ^= 0x10;
    expect((await contents(on)).texts).toEqual(['before', 'payload', 'after', 'end']);
  });

  it('says that the owner file was lost', async () => {
    const on = await holding(Buffer.from('payload'));
    damage(on, owner);
    await contents(on);
    expect(on.reports.map(({ message }) => message)).toContain('the owner file was lost and is made anew');
  });

  it('opens nothing and touches nothing where no copy is left', async () => {
    const on = await holding(Buffer.from('payload'));
    for (const path of [owner, ledger]) damage(on, path);
    damage(on, SEGMENT, 0, 30);
    const before = on.disk.paths().map((path) => on.disk.bytes(path).toString('hex'));
    await expect(on.open()).rejects.toBeInstanceOf(KeyLost);
    expect(on.disk.paths().map((path) => on.disk.bytes(path).toString('hex'))).toEqual(before);
    expect(on.fileSystem.openFiles.size).toBe(0);
  });

  it('is not sought in folders that are somebody else’s', async () => {
    const on = await holding(Buffer.from('payload'));
    on.disk.remove(owner);
    on.disk.remove(ledger);
    await expect(on.open()).rejects.toBeInstanceOf(ForeignDirectory);
  });

  it('of a shard is that of its ledger, so that a stream can move to another log', async () => {
    const from = await holding(Buffer.from('payload'));
    const { on, log } = await openedOnMemory();
    await log.close();
    for (const path of from.disk.paths().filter((name) => name.startsWith('/log/s/')))
      on.disk.replace(path, Buffer.from(from.disk.bytes(path)));
    expect((await contents(on)).texts).toEqual(['before', 'payload', 'after', 'end']);
  });

  it('is none in a log that was written before there were keys, which stays readable', async () => {
    const on = await holding(Buffer.from('payload'), { random: { next: () => -1 / 0xffffffff } });
    const { key, texts } = await contents(on);
    expect([key, texts]).toEqual([NO_KEY, ['before', 'payload', 'after', 'end']]);
  });
});
