// What a newer program wrote is refused by name and left as it was, byte for byte; what only looks newer because it is
// damaged is damage.

import { crc32 } from 'node:zlib';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { NewerFormat } from '../../buffer/errors.ts';
import { verifyLog } from '../../buffer/index.ts';
import { appendDurably, LogOnMemory } from './log_on_memory.ts';
import { placesOf } from './written_segment.ts';

const SLOT_BYTES = 4096;
const FIRST = '/log/s/0/00000000000000000000';
const LAST = '/log/s/0/00000000000000000002';
let on: LogOnMemory;

beforeEach(async () => {
  on = new LogOnMemory();
  const log = await on.open({ segment: { maxBytes: 3000 } });
  const stream = await log.stream('s');
  await stream.group('g');
  await appendDurably(stream.shardOf(0), 'a'.repeat(2000), 'b');
  await appendDurably(stream.shardOf(0), 'c'.repeat(2000));
  await appendDurably(stream.shardOf(0), 'd');
  await log.close();
});

/** Changes bytes of a slot and sums it anew. */
function reslot(bytes: Buffer, at: number, change: (slot: Buffer) => void): void {
  const slot = bytes.subarray(at, at + SLOT_BYTES);
  change(slot);
  const payload = slot.subarray(20, 20 + slot.readUInt16LE(6));
  slot.writeUInt32LE(crc32(payload, crc32(slot.subarray(0, 16))), 16);
}

/** Changes a frame's header; the key in its checksum stays what it was. */
function reframe(bytes: Buffer, at: number, change: (header: Buffer) => void): void {
  const key = crc32(bytes.subarray(at, at + 36)) ^ bytes.readUInt32LE(at + 36);
  change(bytes.subarray(at, at + 36));
  bytes.writeUInt32LE((crc32(bytes.subarray(at, at + 36)) ^ key) >>> 0, at + 36);
}

const newSlots = (bytes: Buffer): void => {
  for (const at of [0, SLOT_BYTES]) reslot(bytes, at, (slot) => slot.writeUInt16LE(2, 4));
};
const everything = (): Map<string, string> =>
  new Map(on.disk.paths().map((name) => [name, on.disk.bytes(name).toString('hex')]));

const NEWER: readonly (readonly [string, string, (bytes: Buffer) => void])[] = [
  ['the owner', '/log/owner', newSlots],
  [
    'the directory',
    '/log/owner',
    (bytes) => {
      const from = Buffer.from('"format":1');
      for (const at of [0, SLOT_BYTES])
        reslot(bytes, at, (slot) => slot.write('"format":2', slot.indexOf(from), 'latin1'));
    },
  ],
  ['the ledger', '/log/s/0/ledger', newSlots],
  [
    'one slot of the ledger',
    '/log/s/0/ledger',
    (bytes) => reslot(bytes, 0, (slot) => slot.writeUInt16LE(9, 4)),
  ],
  ['the offsets', '/log/s/0/offsets', newSlots],
  [
    'an index',
    `${FIRST}.index`,
    (bytes) => {
      bytes.writeUInt16LE(2, 4);
      bytes.writeUInt32LE(crc32(bytes.subarray(64), crc32(bytes.subarray(0, 60))), 60);
    },
  ],
  ['a frame', `${LAST}.log`, (bytes) => reframe(bytes, 0, (header) => header.writeUInt8(2, 2))],
  ['a flag of a frame', `${LAST}.log`, (bytes) => reframe(bytes, 0, (header) => header.writeUInt8(0x04, 3))],
  [
    'the codec of a frame',
    `${LAST}.log`,
    (bytes) => reframe(bytes, 0, (header) => header.writeUInt8(0x20, 3)),
  ],
];

describe('a newer version', () => {
  it.each(NEWER)(
    'of %s is refused by open, verify and repair, and nothing is touched',
    async (_, name, change) => {
      change(on.disk.bytes(name));
      const before = everything();
      const repairing = (): Promise<unknown> => on.open({ readEverything: true });
      for (const refused of [() => on.open(), repairing, verify]) {
        const error: unknown = await refused().catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(NewerFormat);
        expect(String(error)).toContain(name);
      }
      expect(everything()).toEqual(before);
    },
  );

  it('of a frame behind others is refused when it is met, and the shard is not touched', async () => {
    const bytes = on.disk.bytes(`${LAST}.log`);
    reframe(bytes, placesOf(bytes)[1]!.position, (header) => header.writeUInt8(2, 2));
    const before = everything();
    await expect(on.open()).rejects.toThrow(NewerFormat);
    const after = everything();
    for (const [name, content] of before) if (name !== '/log/owner') expect(after.get(name)).toBe(content);
  });

  it('of a frame in a sealed segment stops its reader, who takes it for no damage', async () => {
    reframe(on.disk.bytes(`${FIRST}.log`), 0, (header) => header.writeUInt8(2, 2));
    const log = await on.open();
    const stream = await log.stream('s');
    const reader = (await stream.group('g')).reader(stream.shardOf(0));
    await expect(reader.read({ wait_ms: 0 })).rejects.toThrow(`${FIRST}.log has format version 2`);
    expect(stream.shardOf(0).account().quarantined).toBe(0);
    await log.close();
  });

  it('that is damage is none: a byte of the version that went bad costs its frame or its slot alone', async () => {
    on.disk.bytes('/log/s/0/ledger')[4]! ^= 2;
    on.disk.bytes('/log/s/0/offsets')[SLOT_BYTES + 4]! ^= 2;
    on.disk.bytes(`${FIRST}.index`)[4]! ^= 2;
    on.disk.bytes(`${FIRST}.log`)[2]! ^= 2;
    const log = await on.open();
    const stream = await log.stream('s');
    expect(stream.shardOf(0).account()).toMatchObject({ appended: 4, retained: 2, quarantined: 2 });
    await log.close();
  });
});

function verify(): Promise<unknown> {
  return verifyLog({ directory: '/log', fileSystem: on.fileSystem });
}
