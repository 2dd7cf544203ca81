// Both directions between JSON and protobuf against protobufjs and the official messages, on random requests of all
// signals: 64-bit integers, NaN and infinities, empty oneofs, open enums, unknown fields, attribute values in depth.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { requestToJson } from '../../../otlp/json/from_protobuf.ts';
import { JsonTranscoder } from '../../../otlp/json/to_protobuf.ts';
import { requestOf } from '../../../otlp/schema.ts';
import { type Signal, signals } from '../../../otlp/signal.ts';
import { walk } from '../../../otlp/walk.ts';
import { requestArbitrary } from '../arbitrary.ts';
import { encode, requestType } from '../proto/types.ts';
import { referenceWalk } from '../reference_walk.ts';
import { JsonWriter, seeded } from './json_writer.ts';

const random = { seed: 20_261_121, numRuns: 200 };
const transcoder = new JsonTranscoder(2 ** 24);

/** What a message says, in a form that can be compared: ids and bytes as base64, 64-bit integers as strings. */
function meaning(signal: Signal, bytes: Uint8Array): unknown {
  const type = requestType[signal];
  return type.toObject(type.decode(bytes), { longs: String, bytes: String });
}

describe.each(signals)('a random request of %s', (signal) => {
  it('comes back from JSON byte for byte', () => {
    fc.assert(
      fc.property(requestArbitrary(signal), (request) => {
        const bytes = encode(requestType[signal], request);
        const json = Buffer.from(requestToJson(signal, bytes));
        expect(transcoder.transcode(signal, json).toString('hex')).toBe(bytes.toString('hex'));
      }),
      random,
    );
  });

  it('says the same however its JSON is written', () => {
    fc.assert(
      fc.property(requestArbitrary(signal), fc.integer(), (request, seed) => {
        const bytes = encode(requestType[signal], request);
        const json = new JsonWriter(seeded(seed)).message(requestType[signal], request);
        const transcoded = transcoder.transcode(signal, Buffer.from(json));
        expect(meaning(signal, transcoded)).toEqual(meaning(signal, bytes));
        expect(walk(signal, transcoded).items).toBe(referenceWalk(requestOf[signal], bytes));
      }),
      random,
    );
  });

  it('is one that the JSON of protobufjs gives too, once ids are hex', () => {
    fc.assert(
      fc.property(requestArbitrary(signal), (request) => {
        const type = requestType[signal];
        const bytes = encode(type, request);
        const theirs = type.toObject(type.decode(bytes), { longs: String, bytes: String, json: true });
        const json = JSON.stringify(theirs, (key, value) =>
          /^(traceId|spanId|parentSpanId)$/.test(key)
            ? Buffer.from(value, 'base64').toString('hex')
            : zero(value),
        );
        expect(meaning(signal, transcoder.transcode(signal, Buffer.from(json)))).toEqual(
          meaning(signal, bytes),
        );
      }),
      random,
    );
  });
});

/** JSON.stringify drops the sign of zero. */
function zero(value: unknown): unknown {
  return Object.is(value, -0) ? '-0' : value;
}
