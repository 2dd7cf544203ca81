// Requests as they go wrong on their way, or as somebody makes them who means harm. Invariant: the same random numbers give
// the same bytes.

import zlib from 'node:zlib';
import { requestToJson } from '../../../otlp/json/from_protobuf.ts';
import { type Signal, signals } from '../../../otlp/signal.ts';
import { request } from '../../receivers/otlp/harness.ts';
import type { SeededRandom } from '../../sim/random.ts';

export const encodings = ['identity', 'gzip', 'deflate', 'zstd'] as const;
export type ContentEncoding = (typeof encodings)[number];

const ITEMS_MAX = 4;

const compress: Readonly<Record<ContentEncoding, (bytes: Buffer) => Buffer>> = {
  identity: (bytes) => bytes,
  gzip: (bytes) => zlib.gzipSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
};

export interface Attack {
  readonly signal: Signal;
  readonly json: boolean;
  readonly encoding: ContentEncoding;
  readonly body: Buffer;
}

export class Attacker {
  readonly random: SeededRandom;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  /** A request that was well-formed, until its message or its compressed form was damaged. */
  attack(mayBeJson: boolean): Attack {
    const signal = this.random.pick(signals);
    const json = mayBeJson && this.random.integer(3) === 0;
    const encoding = this.random.pick(encodings);
    const protobuf = request(signal, 1 + this.random.integer(ITEMS_MAX));
    const plain = json ? Buffer.from(requestToJson(signal, protobuf)) : protobuf;
    const within = encoding === 'identity' || this.random.integer(2) === 0;
    const compressed = compress[encoding](within ? this.damaged(plain) : plain);
    return { signal, json, encoding, body: within ? compressed : this.damaged(compressed) };
  }

  damaged(original: Buffer): Buffer {
    let bytes = original;
    for (let times = 1 + this.random.integer(3); times > 0; times--) bytes = this.#damagedOnce(bytes);
    return bytes;
  }

  noise(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.random.integer(256)));
  }

  #damagedOnce(bytes: Buffer): Buffer {
    const at = this.random.integer(bytes.length + 1);
    const to = at + this.random.integer(16);
    switch (this.random.integer(7)) {
      case 0:
        return bytes.subarray(0, at);
      case 1:
        return Buffer.concat([
          bytes.subarray(0, at),
          this.noise(1 + this.random.integer(12)),
          bytes.subarray(at),
        ]);
      case 2:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
      case 3:
        // A piece twice: lengths and brackets no longer fit.
        return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
      case 4:
        // What is longest as a length or an integer.
        return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(10, 0xff), bytes.subarray(at)]);
      default: {
        const copy = Buffer.from(bytes);
        if (copy.length > 0) copy[at % copy.length]! ^= 1 + this.random.integer(255);
        return copy;
      }
    }
  }
}
