// otlp/walk.ts, against the same walk written without thinking of speed.

import { crc32 } from 'node:zlib';
import { MalformedOtlp } from '../../../otlp/malformed.ts';
import { requestOf } from '../../../otlp/schema.ts';
import { walk } from '../../../otlp/walk.ts';
import { referenceWalk } from '../../otlp/reference_walk.ts';
import { type Parser, promise, refusedAs } from '../parser.ts';
import { mutateRequest, requestSeeds, signalOf } from './otlp_requests.ts';

export const otlpWalkParser: Parser = {
  name: 'otlp_walk',
  promise:
    'takes and counts what a plain parser does; what it takes merges by concatenation; reads nothing outside',
  seeds: requestSeeds,
  mutate: mutateRequest,
  check(input) {
    const signal = signalOf(input);
    const bytes = input.subarray(1);
    const expected = expectedItems(input);
    // The same bytes between others: whoever reads past the end sees them.
    const around = Buffer.concat([Buffer.alloc(7, 0xff), bytes, Buffer.alloc(7, 0x01)]);
    const within = new Uint8Array(around.buffer, around.byteOffset + 7, bytes.length);
    try {
      const { items, shardKey } = walk(signal, bytes);
      promise(items === expected, `${items} items, the plain walk finds ${expected}`);
      const twice = walk(signal, Buffer.concat([bytes, bytes]));
      promise(twice.items === 2 * items && twice.shardKey === shardKey, 'concatenation is no merge');
      const apart = walk(signal, within);
      promise(apart.items === items && apart.shardKey === shardKey, 'depends on the bytes around');
      promise(shardKey >= 0 && shardKey <= 0xffffffff && Number.isInteger(shardKey), 'a key that is no u32');
      promise(bytes.length > 0 || crc32('') === shardKey, 'a key of nothing');
      return 'accepted';
    } catch (error) {
      const verdict = refusedAs(error, MalformedOtlp);
      const { position } = error as MalformedOtlp;
      promise(expected === undefined, `refused, and the plain walk takes it: ${(error as Error).message}`);
      promise(position >= 0 && position <= bytes.length, `a fault at ${position}`);
      promise((error as Error).message.length < 2_000, 'a message without end');
      return verdict;
    }
  },
};

function expectedItems(input: Buffer): number | undefined {
  try {
    return referenceWalk(requestOf[signalOf(input)], input.subarray(1));
  } catch (error) {
    refusedAs(error, MalformedOtlp);
    return undefined;
  }
}
