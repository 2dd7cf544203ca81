// The protobuf bytes of an entry whatever its codec, for exporters that have to look inside or to merge. Invariant: never
// more bytes than the entry's header says (they were counted and capped when it came in).

import { gunzip } from 'node:zlib';
import type { Entry } from '../otlp/entry.ts';

const CHUNK_BYTES = 256 * 1024;

/** @throws when the stored bytes are not what the header says. */
export function plainPayload(entry: Entry): Promise<Uint8Array> | Uint8Array {
  if (entry.codec === 'identity') return entry.payload;
  return new Promise((resolve, reject) => {
    const options = { maxOutputLength: Math.max(1, entry.rawLength), chunkSize: CHUNK_BYTES };
    gunzip(entry.payload, options, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });
}
