// JSON that went wrong: cut, flipped, spliced, its tokens exchanged. Whatever comes, the transcoder answers with protobuf
// that the walk passes or with MalformedOtlp, and it never takes what JSON.parse does not.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { requestToJson } from '../../../otlp/json/from_protobuf.ts';
import { JsonTranscoder } from '../../../otlp/json/to_protobuf.ts';
import { MalformedOtlp } from '../../../otlp/malformed.ts';
import { OtlpTooLarge } from '../../../otlp/protobuf_writer.ts';
import { type Signal, signals } from '../../../otlp/signal.ts';
import { walk } from '../../../otlp/walk.ts';
import { requestArbitrary } from '../arbitrary.ts';
import { requestType } from '../proto/types.ts';
import { JsonWriter, seeded } from './json_writer.ts';
import { mutant, mutateToken } from './mutant.ts';

const random = { seed: 20_261_122, numRuns: 1000 };
/** Of each request; making a request takes longer than reading it. */
const MUTANTS = 12;
const transcoder = new JsonTranscoder(2 ** 20);

/** The result as a copy, or undefined for what was refused as it should be. */
function outcome(signal: Signal, json: Buffer): Buffer | undefined {
  try {
    return Buffer.from(transcoder.transcode(signal, json));
  } catch (error) {
    if (error instanceof OtlpTooLarge) return undefined;
    expect(error).toBeInstanceOf(MalformedOtlp);
    const { position, message } = error as MalformedOtlp;
    expect(position).toBeGreaterThanOrEqual(0);
    expect(position).toBeLessThanOrEqual(json.length);
    // Paths and kinds only: nothing of what was sent.
    expect(message).toMatch(/^([\w.[\]]+: )?[\w ,"^()-]+ at byte \d+$/);
    return undefined;
  }
}

function parses(json: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json));
    return true;
  } catch {
    return false;
  }
}

describe('mutated JSON', () => {
  it.each(signals)('of %s becomes protobuf that comes back as it is, or is refused', (signal) => {
    let taken = 0;
    let refused = 0;
    fc.assert(
      fc.property(requestArbitrary(signal), fc.integer(), (request, seed) => {
        const next = seeded(seed);
        const text = new JsonWriter(next).message(requestType[signal], request);
        for (let i = 0; i < MUTANTS; i++) {
          const json = mutant(text, next);
          const protobuf = outcome(signal, json);
          if (protobuf === undefined) {
            refused++;
            continue;
          }
          taken++;
          expect(parses(json)).toBe(true);
          walk(signal, protobuf);
          const again = outcome(signal, Buffer.from(requestToJson(signal, protobuf)));
          expect(again?.toString('hex')).toBe(protobuf.toString('hex'));
        }
      }),
      { ...random, numRuns: 100 },
    );
    expect(taken).toBeGreaterThan(50);
    expect(refused).toBeGreaterThan(500);
  });

  it('that is ignored must be JSON all the same, and any JSON will do', () => {
    const value = fc.json({ maxDepth: 6 });
    const wrong = fc.tuple(value, fc.integer()).map(([text, seed]) => mutateToken(text, seeded(seed)));
    const json = fc.oneof(value, wrong, fc.string({ unit: 'binary', maxLength: 12 }));
    let taken = 0;
    fc.assert(
      fc.property(json, (text) => {
        const bytes = Buffer.from(`{"later":${text}}`);
        const protobuf = outcome('logs', bytes);
        expect(protobuf !== undefined).toBe(parses(bytes));
        if (protobuf) taken++;
      }),
      random,
    );
    expect(taken).toBeGreaterThan(300);
  });

  it('of random bytes is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const json = Buffer.from(bytes);
        if (outcome('metrics', json)) expect(parses(json)).toBe(true);
      }),
      random,
    );
  });
});
