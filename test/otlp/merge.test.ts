import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { concatenate } from '../../otlp/merge.ts';
import { signals } from '../../otlp/signal.ts';
import { walk } from '../../otlp/walk.ts';
import { requestArbitrary } from './arbitrary.ts';
import { encode, requestType } from './proto/types.ts';

const entry = (payload: Uint8Array) => ({ codec: 'identity' as const, payload });

describe('concatenate', () => {
  it('hands out a single payload as it is, without a copy', () => {
    const payload = Uint8Array.of(1, 2, 3);
    expect(concatenate([entry(payload)])).toBe(payload);
  });

  it('gives no bytes for no entries', () => {
    expect(concatenate([])).toHaveLength(0);
  });

  it('refuses compressed payloads, which would not be a message any more', () => {
    expect(() =>
      concatenate([entry(Uint8Array.of(1)), { codec: 'gzip', payload: Uint8Array.of(2) }]),
    ).toThrow(/compressed/);
  });

  it.each(signals)('merges %s requests as a protobuf parser would, resource by resource', (signal) => {
    const type = requestType[signal];
    fc.assert(
      fc.property(fc.array(requestArbitrary(signal), { maxLength: 4 }), (requests) => {
        const payloads = requests.map((request) => encode(type, request));
        const merged = concatenate(payloads.map(entry));
        const field = type.fieldsArray[0]!.name;
        const parts = payloads.flatMap((payload) => type.toObject(type.decode(payload))[field] ?? []);
        expect(type.toObject(type.decode(merged))[field] ?? []).toEqual(parts);
        const items = payloads.reduce((sum, payload) => sum + walk(signal, payload).items, 0);
        expect(walk(signal, merged).items).toBe(items);
      }),
      { seed: 99, numRuns: 60 },
    );
  });
});
