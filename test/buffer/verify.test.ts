// Every kind of damage is found and told with its place, nothing is written by looking, and repair leaves a log that
// verifies, with a copy of what was damaged.

import { describe, expect, it } from '@jest/globals';
import { type Inspected, inspectFile, repairLog, type VerifyReport, verifyLog } from '../../buffer/index.ts';
import { appendDurably, LogOnMemory, openedOnMemory, readAll } from './log_on_memory.ts';

const name = (base: number, kind: string): string => `/log/s/0/${String(base).padStart(20, '0')}.${kind}`;
const [FIRST, SECOND, THIRD] = [0, 3, 6];

/** Three segments of three frames each; the last one is active. */
async function written(): Promise<LogOnMemory> {
  const { on, log, stream, shard } = await openedOnMemory({ segment: { maxBytes: 400 } });
  const group = await stream.group('g');
  for (let offset = 0; offset < 9; offset++) await appendDurably(shard, `${offset}`.repeat(80));
  void group.commit(shard, 1);
  await log.close();
  return on;
}

const everything = (on: LogOnMemory): Record<string, string> =>
  Object.fromEntries(on.disk.paths().map((path) => [path, on.disk.bytes(path).toString('hex')]));

const options = (on: LogOnMemory) => ({ directory: '/log', fileSystem: on.fileSystem, clock: on.clock });

/** Verifies; nothing may be changed or left open by that. */
async function verified(on: LogOnMemory): Promise<VerifyReport> {
  const before = everything(on);
  const report = await verifyLog(options(on));
  expect(everything(on)).toEqual(before);
  expect(on.fileSystem.openFiles.size).toBe(0);
  return report;
}

const flip = (on: LogOnMemory, path: string, at: number): void => {
  on.disk.bytes(path)[at]! ^= 0x20;
};

async function textsOf(on: LogOnMemory): Promise<string[]> {
  const { log, stream, shard } = await openedOnMemory({}, on);
  const all = await readAll((await stream.group('reads')).reader(shard));
  await log.close();
  return all.map(({ text }) => text[0]!);
}

const rest = (...lost: number[]): string[] =>
  [...Array(9).keys()].filter((offset) => !lost.includes(offset)).map(String);

const cases: {
  what: string;
  harm: (on: LogOnMemory) => unknown;
  told: object[];
  lost: number[];
  kept: RegExp[];
}[] = [
  {
    what: 'a flipped bit in a body',
    harm: (on) => flip(on, name(FIRST, 'log'), 180),
    told: [{ kind: 'lost', stream: 's', shard: 0, segment: 0, position: 122, bytes: 122, from: 1, to: 2 }],
    lost: [1],
    kept: [/quarantine\/0+1-0+2\.bin$/],
  },
  {
    what: 'a flipped bit in a header',
    harm: (on) => flip(on, name(SECOND, 'log'), 124),
    told: [{ kind: 'lost', segment: 3, position: 122, from: 4, to: 5 }],
    lost: [4],
    kept: [/quarantine\/0+4-0+5\.bin$/],
  },
  {
    what: 'the end of the log, cut off',
    harm: (on) => on.disk.replace(name(THIRD, 'log'), on.disk.bytes(name(THIRD, 'log')).subarray(0, 300)),
    told: [{ kind: 'lost', segment: 6, position: 244, bytes: 56, from: 8, to: 9 }],
    lost: [8],
    kept: [/quarantine\/0+8-0+9\.bin$/],
  },
  {
    what: 'a segment that is gone',
    harm: (on) => on.disk.remove(name(SECOND, 'log')),
    told: [
      { kind: 'lost', segment: 0, from: 3, to: 6 },
      { kind: 'index', segment: 0 },
    ],
    lost: [3, 4, 5],
    kept: [/quarantine\/0+\.index$/],
  },
  {
    what: 'an index that is missing',
    harm: (on) => on.disk.remove(name(FIRST, 'index')),
    told: [{ kind: 'index', segment: 0, message: 'the index is missing' }],
    lost: [],
    kept: [],
  },
  {
    what: 'an index that is damaged',
    harm: (on) => flip(on, name(FIRST, 'index'), 20),
    told: [{ kind: 'index', segment: 0, message: 'the index is damaged' }],
    lost: [],
    kept: [/quarantine\/0+\.index$/],
  },
  {
    what: 'one slot of the offsets',
    harm: (on) => flip(on, '/log/s/0/offsets', 4100),
    told: [{ kind: 'copy', stream: 's', shard: 0, file: '/log/s/0/offsets' }],
    lost: [],
    kept: [/quarantine\/offsets$/],
  },
  {
    what: 'both slots of the ledger',
    harm: (on) => on.disk.bytes('/log/s/0/ledger').fill(7),
    told: [{ kind: 'state', file: '/log/s/0/ledger' }],
    lost: [],
    kept: [/quarantine\/ledger$/],
  },
  {
    what: 'the owner file, gone',
    harm: (on) => on.disk.remove('/log/owner'),
    told: [{ kind: 'state', file: '/log/owner', message: 'the file is missing' }],
    lost: [],
    kept: [],
  },
];

describe('verify and repair', () => {
  it('find nothing in a log that is whole, and count what is there', async () => {
    const on = await written();
    const report = await verified(on);
    expect(report).toMatchObject({ locked: true, shards: 1, segments: 3, entries: 9, damage: [] });
    expect(report.bytes).toBe(
      [FIRST, SECOND, THIRD].reduce((sum, b) => sum + on.disk.bytes(name(b, 'log')).length, 0),
    );
  });

  it.each(cases)('find $what, and put it in order', async ({ harm, told, lost, kept }) => {
    const on = await written();
    await harm(on);
    const { damage } = await verified(on);
    expect(damage).toEqual(told.map((one) => expect.objectContaining({ known: false, ...one })));
    const report = await repairLog(options(on));
    expect(report.before.damage).toEqual(damage);
    expect(report.after.damage.filter(({ known }) => !known)).toEqual([]);
    expect(report.kept.length).toBe(kept.length);
    kept.forEach((pattern, index) => {
      expect(report.kept[index]).toMatch(pattern);
    });
    expect(await textsOf(on)).toEqual(rest(...lost));
    expect((await verified(on)).damage.filter(({ known }) => !known)).toEqual([]);
  });

  it('finds each flipped bit of a segment, wherever it is', async () => {
    const on = await written();
    const { length } = on.disk.bytes(name(FIRST, 'log'));
    for (let at = 0; at < length; at += 7) {
      flip(on, name(FIRST, 'log'), at);
      const { damage } = await verifyLog(options(on));
      expect(damage).toEqual([expect.objectContaining({ kind: 'lost', from: Math.floor(at / 122) })]);
      flip(on, name(FIRST, 'log'), at);
    }
  });

  it('keeps a copy of a torn tail that nobody was promised, also of the second one', async () => {
    const on = await written();
    const path = name(THIRD, 'log');
    for (const tail of ['half a frame', 'and another']) {
      on.disk.replace(path, Buffer.concat([on.disk.bytes(path), Buffer.from(tail)]));
      expect((await verified(on)).damage).toEqual([]);
      const { kept } = await repairLog(options(on));
      expect(kept.map((copy) => on.disk.bytes(copy).toString())).toContain(tail);
    }
    expect(await textsOf(on)).toEqual(rest());
  });

  it.each([
    ['zeroed', (bytes: Buffer) => bytes.fill(0)],
    ['empty', (bytes: Buffer) => bytes.subarray(0, 0)],
    ['garbage', (bytes: Buffer) => bytes.fill(0xa5)],
  ])('puts an offsets file in order that is %s (found by test/fuzz)', async (_, damaged) => {
    const on = await written();
    on.disk.replace('/log/s/0/offsets', damaged(Buffer.from(on.disk.bytes('/log/s/0/offsets'))));
    expect((await verified(on)).damage).toMatchObject([{ kind: 'state' }]);
    const { after } = await repairLog(options(on));
    expect(after.damage).toEqual([]);
  });

  it('do not touch a log that has an owner; verify reads beside one when it is told to', async () => {
    const { on, log } = await openedOnMemory();
    await expect(verifyLog(options(on))).rejects.toMatchObject({ code: 'HF_BUFFER_OWNER_PRESENT' });
    await expect(repairLog(options(on))).rejects.toMatchObject({ code: 'HF_BUFFER_OWNER_PRESENT' });
    expect(await verifyLog({ ...options(on), force: true })).toMatchObject({ locked: false, damage: [] });
    await log.close();
  });

  it('refuse a directory that is no log', async () => {
    const on = new LogOnMemory();
    await on.disk.makeDirectory('/log');
    on.disk.replace('/log/notes.txt', Buffer.from('x'));
    await expect(verifyLog(options(on))).rejects.toMatchObject({ code: 'HF_BUFFER_FOREIGN_DIRECTORY' });
    expect(on.disk.paths()).toEqual(['/log/notes.txt']);
  });
});

describe('a sealed segment without an index', () => {
  it('is read once: opening the log writes the index anew, byte for byte where nothing was lost', async () => {
    const on = await written();
    const before = Buffer.from(on.disk.bytes(name(FIRST, 'index')));
    on.disk.remove(name(FIRST, 'index'));
    await (await on.open()).close();
    const after = on.disk.bytes(name(FIRST, 'index'));
    // but for the running time of its last append, which nobody knows any more, and the checksum over it
    expect(after.subarray(0, 48)).toEqual(before.subarray(0, 48));
    expect(after.readUInt32LE(56)).toBeGreaterThan(0);
    const { length } = on.fileSystem.operations;
    await (await on.open()).close();
    const opened = on.fileSystem.operations.slice(length).filter(({ operation }) => operation === 'open');
    expect(opened.map(({ path }) => path)).not.toContain(name(FIRST, 'log'));
  });
});

describe('inspect', () => {
  const inspected = async (on: LogOnMemory, path: string) => {
    const found: Inspected[] = [];
    const whole = await inspectFile(path, (one) => found.push(one), on.fileSystem);
    return { found, whole };
  };

  it('shows the frames of a segment and what is damaged between them', async () => {
    const on = await written();
    flip(on, name(FIRST, 'log'), 180);
    const { found, whole } = await inspected(on, name(FIRST, 'log'));
    expect(whole).toBe(false);
    expect(found).toMatchObject([
      { kind: 'frame', position: 0, bytes: 122, offset: 0, count: 1, watermark: 0, epoch: 1, flags: 0 },
      { kind: 'damage', position: 122, bytes: 122 },
      { kind: 'frame', position: 244, bytes: 122, offset: 2, count: 1, watermark: 2 },
    ]);
  });

  it('tells space that no commit has used from damage', async () => {
    const end = 3 * 122;
    const block = 4096;
    const on = await written();
    const older = Buffer.from(on.disk.bytes(name(FIRST, 'log')));
    const content = Buffer.from(on.disk.bytes(name(THIRD, 'log')));
    const behindContent = async (rest: Buffer) => {
      on.disk.replace(name(THIRD, 'log'), Buffer.concat([content, rest]));
      const { found, whole } = await inspected(on, name(THIRD, 'log'));
      expect(found[3]).toEqual({ kind: whole ? 'unused' : 'damage', position: end, bytes: rest.length });
      expect(found).toHaveLength(4);
      return whole;
    };
    const zeros = Buffer.alloc(block - end);
    for (const rest of [zeros, Buffer.alloc(3 * block), Buffer.concat([zeros, older])]) {
      expect(await behindContent(rest)).toBe(true);
    }
    // What a torn write leaves: something where zeros should be, or nothing behind them that ever was a frame.
    const torn = Buffer.from(zeros).fill(7, 100, 200);
    for (const rest of [torn, Buffer.concat([torn, older]), Buffer.concat([zeros, Buffer.alloc(block, 7)])]) {
      expect(await behindContent(rest)).toBe(false);
    }
  });

  it('shows indexes and states, and hides the key', async () => {
    const on = await written();
    expect((await inspected(on, name(FIRST, 'index'))).found).toEqual([
      { kind: 'point', offset: 0, position: 0 },
    ]);
    const ledger = await inspected(on, '/log/s/0/ledger');
    expect(ledger.whole).toBe(true);
    expect(ledger.found).toMatchObject([
      { slot: 0, state: 'intact', magic: 'HFLG', content: { watermark: 9 } },
      { slot: 1, state: 'intact' },
    ]);
    const offsets = await inspected(on, '/log/s/0/offsets');
    expect(offsets.found[0]).toMatchObject({ content: [{ name: 'g', committed: 1 }] });
    const owner = await inspected(on, '/log/owner');
    expect(owner.found[0]).toMatchObject({ content: { format: 1, pid: process.pid } });
    const { log, shard } = await openedOnMemory({}, on);
    const key = Buffer.alloc(4);
    key.writeUInt32LE(shard.ledger.key.header);
    expect(JSON.stringify([ledger, owner])).not.toContain(key.toString('hex'));
    expect(JSON.stringify([ledger, owner])).not.toContain(String(shard.ledger.key.header));
    await log.close();
  });

  it('finds the key by the first frame where the segment stands alone', async () => {
    const on = await written();
    await on.disk.makeDirectory('/copy');
    on.disk.replace(`/copy/${'0'.repeat(20)}.log`, Buffer.from(on.disk.bytes(name(FIRST, 'log'))));
    expect((await inspected(on, `/copy/${'0'.repeat(20)}.log`)).whole).toBe(true);
  });
});
