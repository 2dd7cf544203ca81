// What a request is in the file, by format and compression. Invariant: one request becomes whole records, and how a record
// begins tells it from what somebody else wrote.

import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { requestToJson } from '../../otlp/json/from_protobuf.ts';
import type { Signal } from '../../otlp/signal.ts';
import { requestToLines } from '../../otlp/text/lines.ts';
import type { FileConfig } from './config.ts';
import { type Framing, lengths, lines } from './framing.ts';

export interface Encoding {
  readonly framing: Framing;
  /** @throws MalformedOtlp */
  encode(signal: Signal, request: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

const zstd = promisify(zlib.zstdCompress);
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** The tag of field 1, which is all that a request has. */
const REQUEST_TAG = Buffer.from([0x0a]);
/** Field 1 without content: says nothing, and lets a request that begins with a field of the future begin like all others. */
const EMPTY_FIELD = Buffer.from([0x0a, 0]);

const json: Encoding = {
  framing: lines('{"resource'),
  encode: (signal, request) => Buffer.from(requestToJson(signal, request)),
};
const text: Encoding = {
  framing: lines(''),
  encode: (signal, request) => Buffer.from(requestToLines(signal, request).join('\n')),
};
const proto: Encoding = {
  framing: lengths(REQUEST_TAG),
  encode: (_signal, request) =>
    request.length === 0 || request[0] === REQUEST_TAG[0] ? request : Buffer.concat([EMPTY_FIELD, request]),
};

export function encodingOf({ format, compression }: Pick<FileConfig, 'format' | 'compression'>): Encoding {
  const plain = { json, text, proto }[format];
  if (compression === 'none') return plain;
  return {
    framing: lengths(ZSTD_MAGIC),
    encode: async (signal, request) => {
      const record = await plain.encode(signal, request);
      return record.length === 0 ? record : zstd(record);
    },
  };
}
