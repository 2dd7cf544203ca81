import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { locate } from '../../otlp/locate.ts';
import { requestOf } from '../../otlp/schema.ts';
import { mutationArbitrary } from './arbitrary.ts';
import { encode, requestType } from './proto/types.ts';

const bytes = encode(requestType.traces, {
  resourceSpans: [
    {},
    { scopeSpans: [{ spans: [{ name: 'abc' }, { kind: 3, status: { message: 'down' } }] }] },
  ],
});

describe('locate', () => {
  it('names the field that holds a byte, with the index of repeated ones', () => {
    expect(locate(requestOf.traces, bytes, bytes.indexOf('bc'))).toBe(
      'resource_spans[1].scope_spans[0].spans[0].name',
    );
    expect(locate(requestOf.traces, bytes, bytes.indexOf('own'))).toBe(
      'resource_spans[1].scope_spans[0].spans[1].status.message',
    );
    expect(locate(requestOf.traces, bytes, 0)).toBe('resource_spans[0]');
  });

  it('says nothing of a byte that belongs to no field', () => {
    expect(locate(requestOf.traces, bytes, bytes.length)).toBe('');
    expect(locate(requestOf.traces, Uint8Array.of(7), 0)).toBe('');
  });

  it('names unknown fields by their number', () => {
    expect(locate(requestOf.logs, Uint8Array.of(0x9a, 0x06, 1, 0x41), 3)).toBe('field 99');
  });

  it('never throws, whatever the bytes and the position', () => {
    fc.assert(
      fc.property(mutationArbitrary(bytes), fc.nat(100), (mutated, position) => {
        expect(typeof locate(requestOf.traces, mutated, position)).toBe('string');
      }),
      { seed: 5, numRuns: 2000 },
    );
  });
});
