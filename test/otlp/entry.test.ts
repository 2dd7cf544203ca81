import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { codecs, decodeEntry, ENTRY_HEADER_BYTES, encodeEntryHeader } from '../../otlp/entry.ts';
import { signals } from '../../otlp/signal.ts';

const u32 = fc.nat(2 ** 32 - 1);

describe('entries', () => {
  it('survive the way to disk and back', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...signals),
        fc.constantFrom(...codecs),
        u32,
        u32,
        fc.uint8Array(),
        (signal, codec, items, rawLength, payload) => {
          const header = encodeEntryHeader(signal, codec, items, rawLength);
          expect(header).toHaveLength(ENTRY_HEADER_BYTES);
          const entry = decodeEntry(Buffer.concat([header, payload]));
          expect({ ...entry, payload: Uint8Array.from(entry.payload) }).toEqual({
            signal,
            codec,
            items,
            rawLength,
            payload,
          });
        },
      ),
    );
  });

  it('have the bytes of format version 1', () => {
    expect([...encodeEntryHeader('logs', 'gzip', 512, 0x01020304)]).toEqual([
      1, 2, 1, 0, 2, 0, 0, 4, 3, 2, 1,
    ]);
  });

  it('hand out the payload as a view, not as a copy', () => {
    const bytes = Buffer.concat([encodeEntryHeader('traces', 'identity', 1, 2), Uint8Array.of(7, 8)]);
    const { payload } = decodeEntry(bytes);
    bytes[ENTRY_HEADER_BYTES] = 9;
    expect([...payload]).toEqual([9, 8]);
  });

  it.each([
    ['nothing', []],
    ['too few bytes', [1, 0, 0, 0, 0]],
    ['another version', [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['an unknown signal', [1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['an unknown codec', [1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0]],
  ])('are refused when they have %s', (_what, bytes) => {
    expect(() => decodeEntry(Uint8Array.from(bytes))).toThrow(
      expect.objectContaining({ code: 'HF_ENTRY_INVALID', retryable: false }),
    );
  });
});
