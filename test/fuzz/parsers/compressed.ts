// receivers/server/decompress: what comes out of a compressed body, and the proof that the form to be kept is exactly one member
// or frame, which every decoder reads to its end.

import zlib from 'node:zlib';
import { type Compression, Decompressor } from '../../../receivers/server/decompress/decompress.ts';
import type { Decompressed } from '../../../receivers/server/decompress/decompressed.ts';
import { InFlight, Share } from '../../../receivers/server/in_flight.ts';
import { Refusal } from '../../../receivers/server/refusal.ts';
import type { SeededRandom } from '../../sim/random.ts';
import { type Parser, promise, refusedAs, type Verdict } from '../parser.ts';

const LIMIT_BYTES = 64 * 1024;
/** One for all inputs, as a server has it: what one leaves behind must not reach the next. */
const decompressor = new Decompressor(LIMIT_BYTES);
const GZIP_HEADER_BYTES = 10;
const GZIP_TRAILER_BYTES = 8;
const most = { maxOutputLength: LIMIT_BYTES };

const text = Buffer.from('Holdfast holds fast. '.repeat(20));
const contents = [
  text,
  Buffer.alloc(0),
  Buffer.alloc(LIMIT_BYTES),
  Buffer.alloc(LIMIT_BYTES + 1),
  Buffer.alloc(2 ** 21),
];
const plain = zlib.gzipSync(text);
const zstd = zlib.zstdCompressSync(text);
/** RFC 8878, 3.1.2: four bytes that say nothing. */
const skippable = Buffer.from('502a4d180400000061626364', 'hex');

export const gzipParser: Parser = {
  name: 'gzip',
  promise:
    'never more than the limit; kept as gzip only what is exactly one intact member; takes what gunzip takes',
  seeds: [
    ...contents.map((content) => zlib.gzipSync(content)),
    zlib.gzipSync(text, { level: 0 }),
    Buffer.concat([plain, plain]),
    Buffer.concat([plain, zlib.gzipSync(Buffer.alloc(0))]),
    Buffer.concat([plain, Buffer.alloc(5)]),
    withName(plain),
  ],
  mutate: mutateGzip,
  check: (input) => check('gzip', input, zlib.gunzipSync),
};

export const deflateParser: Parser = {
  name: 'deflate',
  promise: 'never more than the limit; what is kept is one gzip member of the same bytes',
  seeds: [
    ...contents.map((content) => zlib.deflateSync(content)),
    zlib.deflateSync(text, { level: 0 }),
    zlib.deflateSync(text, { dictionary: text }),
    zlib.deflateRawSync(text),
    Buffer.concat([zlib.deflateSync(text), Buffer.from('x')]),
  ],
  check: (input) => check('deflate', input, zlib.inflateSync),
};

export const zstdParser: Parser = {
  name: 'zstd',
  promise: 'never more than the limit; kept as zstd only what decoders read to its end',
  seeds: [
    ...contents.map((content) => zlib.zstdCompressSync(content)),
    zlib.zstdCompressSync(text, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } }),
    zlib.zstdCompressSync(text, { params: { [zlib.constants.ZSTD_c_contentSizeFlag]: 0 } }),
    Buffer.concat([zstd, zstd]),
    Buffer.concat([skippable, zstd]),
    Buffer.concat([zstd, skippable]),
  ],
  mutate: (input, random) =>
    Buffer.concat(random.chance(0.5) ? [input, random.pick([zstd, skippable])] : [skippable, input]),
  check: (input) => check('zstd', input, zlib.zstdDecompressSync),
};

type Decoder = (input: Buffer, options: { maxOutputLength: number }) => Buffer;

async function check(compression: Compression, input: Buffer, decoder: Decoder): Promise<Verdict> {
  const inFlight = new InFlight(LIMIT_BYTES);
  const share = new Share(inFlight);
  const expected = decoded(input, decoder);
  let given: Decompressed;
  try {
    given = await decompressor.decompress(compression, input, share);
  } catch (error) {
    const verdict = refusedAs(error, Refusal);
    promise([400, 413].includes((error as Refusal).http), `refused with ${(error as Refusal).http}`);
    promise(compression !== 'gzip' || expected === undefined, 'refused, and gunzip takes it');
    return verdict;
  } finally {
    share.release();
    promise(inFlight.bytes === 0, `${inFlight.bytes} bytes are in flight for ever`);
  }
  const { bytes, stored, codec } = given;
  promise(bytes.length <= LIMIT_BYTES, `${bytes.length} bytes came out`);
  promise(expected?.equals(bytes) === true, 'the decoder of Node gives something else');
  if (codec === 'identity') promise(stored.equals(bytes), 'kept as it is, and is something else');
  else if (codec === 'gzip') promise(isOneMember(stored, bytes), 'kept as gzip, and is not one member');
  else promise(isOneFrame(stored, bytes), 'kept as zstd, and is not one frame');
  return 'accepted';
}

function decoded(input: Buffer, decoder: Decoder): Buffer | undefined {
  try {
    return decoder(input, most);
  } catch {
    return undefined;
  }
}

/** By what a decoder sees that stops after the first member: it must have got everything. */
function isOneMember(member: Buffer, bytes: Buffer): boolean {
  const deflate = member.subarray(GZIP_HEADER_BYTES, member.length - GZIP_TRAILER_BYTES);
  const { engine, buffer } = zlib.inflateRawSync(deflate, { info: true, ...most }) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  const trailer = Buffer.alloc(GZIP_TRAILER_BYTES);
  trailer.writeUInt32LE(zlib.crc32(bytes), 0);
  trailer.writeUInt32LE(bytes.length, 4);
  return (
    engine.bytesWritten === deflate.length && buffer.equals(bytes) && member.subarray(-8).equals(trailer)
  );
}

/** Without its last byte it is no longer whole, and with it nothing is left over. */
function isOneFrame(frame: Buffer, bytes: Buffer): boolean {
  const magic = frame.length >= 4 && frame.readUInt32LE(0) === 0xfd2fb528;
  return magic && decoded(frame, zlib.zstdDecompressSync)?.equals(bytes) === true;
}

/** RFC 1952: a file name and a comment, which nearly nobody sends. */
function withName(member: Buffer): Buffer {
  const header = Buffer.from(member.subarray(0, GZIP_HEADER_BYTES));
  header[3] = 0x18;
  return Buffer.concat([header, Buffer.from('name\0comment\0'), member.subarray(GZIP_HEADER_BYTES)]);
}

/** Another member behind, a trailer that lies, or blocks before the first. */
function mutateGzip(input: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.from(input);
  const head = copy.subarray(0, GZIP_HEADER_BYTES);
  const rest = copy.subarray(GZIP_HEADER_BYTES);
  return random.pick<() => Buffer>([
    () => Buffer.concat([copy, random.pick([plain, zlib.gzipSync(Buffer.from('x')), Buffer.alloc(8)])]),
    () => {
      if (copy.length < 4) return copy;
      copy.writeUInt32LE(random.pick([0, 1, 0xffffffff, LIMIT_BYTES, text.length]), copy.length - 4);
      return copy;
    },
    () => withName(copy.length > GZIP_HEADER_BYTES ? copy : plain),
    // One that is the last, and an empty stored one that is not (RFC 1951, 3.2.4): bytes that inflate to nothing.
    () => Buffer.concat([head, zlib.deflateRawSync(Buffer.from('y'.repeat(9))), rest]),
    () => Buffer.concat([head, Buffer.from('000000ffff', 'hex'), rest]),
  ])();
}
