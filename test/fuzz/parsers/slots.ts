// Two-slot files for the fuzzers: right ones, and mutations whose checksum is right again.

import { crc32 } from 'node:zlib';
import { writeOffset } from '../../../buffer/frame.ts';
import { Ledger } from '../../../buffer/ledger.ts';
import { encodeOffsets } from '../../../buffer/offsets.ts';
import { Ranges } from '../../../buffer/ranges.ts';
import { SLOT_BYTES, SLOT_PAYLOAD_MAX_BYTES } from '../../../buffer/two_slot.ts';
import type { SeededRandom } from '../../sim/random.ts';

const HEADER_BYTES = 20;

function slot(magic: string, sequence: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.write(magic, 0, 'latin1');
  bytes.writeUInt16LE(1, 4);
  bytes.writeUInt16LE(payload.length, 6);
  writeOffset(bytes, sequence, 8);
  bytes.set(payload, HEADER_BYTES);
  return reseal(bytes, 0);
}

function reseal(file: Buffer, at: number): Buffer {
  const length = Math.min(file.readUInt16LE(at + 6), SLOT_PAYLOAD_MAX_BYTES);
  const payload = file.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
  file.writeUInt32LE(crc32(payload, crc32(file.subarray(at, at + 16))), at + 16);
  return file;
}

const file = (magic: string, payload: Uint8Array): Buffer =>
  Buffer.concat([slot(magic, 8, payload), slot(magic, 7, payload)]);

export const ownerFile = file(
  'HFOW',
  Buffer.from(
    '{"format":1,"epoch":4,"pid":17,"since":"2026-11-21T00:00:00.000Z","running_ms":12,"key":"0102030405060708"}',
  ),
);
export const offsetsFile = file(
  'HFOF',
  encodeOffsets(
    [
      { name: 'otlp_http/cloud', committed: 12, protect: true },
      { name: 'x', committed: 2 ** 40, protect: false },
    ],
    's/0',
  ),
);
export const ledgerFile = file(
  'HFLG',
  new Ledger(
    { header: 1, body: 2 },
    new Ranges([
      { from: 3, to: 5, kind: 'lost' },
      { from: 9, to: 10, kind: 'failed' },
    ]),
  ).encode(),
);

/** Changes a byte of the payload, its length or the sequence in one slot, and makes the checksum right again. */
export function mutateSlot(input: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.alloc(Math.max(input.length, 2 * SLOT_BYTES));
  input.copy(copy);
  const at = random.pick([0, SLOT_BYTES]);
  // Sequences stay below 2^48: nothing writes so often.
  const place = random.pick([4, 6, 7, 8, 13, HEADER_BYTES + random.integer(200)]);
  copy[at + place] = random.pick([0, 1, 2, 0x7b, 0x7f, 0x80, 0xff, random.integer(256)]);
  return reseal(copy, at);
}
