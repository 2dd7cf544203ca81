import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { OtlpTooLarge, ProtobufWriter } from '../../otlp/protobuf_writer.ts';

const random = { seed: 127_128, numRuns: 300 };

function written(write: (writer: ProtobufWriter) => void): string {
  const writer = new ProtobufWriter(2 ** 24);
  write(writer);
  return writer.finish().toString('hex');
}

function theirs(write: (writer: protobuf.Writer) => unknown): string {
  const writer = protobuf.Writer.create();
  write(writer);
  return Buffer.from(writer.finish()).toString('hex');
}

describe('ProtobufWriter', () => {
  it('writes varints of 32 and 64 bits as protobufjs does', () => {
    const edges = [
      0n,
      127n,
      128n,
      2n ** 32n - 1n,
      2n ** 32n,
      2n ** 35n,
      2n ** 49n,
      2n ** 63n,
      2n ** 64n - 1n,
    ];
    const value = fc.oneof(
      fc.constantFrom(...edges),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: 0n, max: 2n ** 36n }),
    );
    fc.assert(
      fc.property(value, (each) => {
        const [high, low] = [Number(each >> 32n), Number(each & 0xffffffffn)];
        const expected = theirs((w) => w.uint64(protobuf.util.LongBits.from(String(each)).toLong(true)));
        expect(written((w) => w.varint64(high, low))).toBe(expected);
        if (high === 0) expect(written((w) => w.varint(low))).toBe(expected);
      }),
      random,
    );
  });

  it('writes fixed values in little-endian order', () => {
    expect(written((w) => w.fixed32(0xfffefdfc))).toBe('fcfdfeff');
    expect(written((w) => w.fixed64(0x81020304, 0xf5060708))).toBe('080706f504030281');
    expect(written((w) => w.double(-2.5))).toBe(theirs((w) => w.double(-2.5)));
  });

  it('writes code points as UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }), (text) => {
        const actual = written((w) => {
          for (const character of text) w.codePoint(character.codePointAt(0)!);
        });
        expect(actual).toBe(Buffer.from(text).toString('hex'));
      }),
      random,
    );
  });

  it.each([0, 1, 47, 48, 49, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])(
    'puts the length before %i bytes whatever width was left for it',
    (length) => {
      const content = Buffer.alloc(length, 0x61);
      const expected = theirs((w) => w.uint32(10).bytes(content));
      for (let width = 1; width <= 5; width++) {
        let needed = 0;
        const actual = written((w) => {
          w.varint(10);
          const start = w.open(width);
          w.copy(content, 0, length);
          needed = w.close(start, width);
        });
        expect(actual === expected).toBe(true);
        expect(needed).toBe((expected.length - 2) / 2 - length);
      }
    },
  );

  it('takes out what was written in the middle', () => {
    expect(
      written((w) => {
        w.copy(Buffer.from('abcdef'), 0, 6);
        w.takeOut(1, 4);
        w.byte(0x7a);
      }),
    ).toBe(Buffer.from('aefz').toString('hex'));
  });

  it('never holds more than its limit, and goes on after a message that would have been larger', () => {
    const writer = new ProtobufWriter(1000);
    const fill = (bytes: number): void => writer.copy(Buffer.alloc(bytes), 0, bytes);
    fill(1000);
    expect(writer.finish()).toHaveLength(1000);
    writer.reset();
    fill(999);
    expect(() => writer.fixed32(1)).toThrow(OtlpTooLarge);
    expect(() => writer.fixed32(1)).toThrow(/larger than 1000 bytes/);
    writer.reset();
    writer.byte(7);
    expect([...writer.finish()]).toEqual([7]);
  });

  it('gives large memory back, and its last message stays readable', () => {
    const writer = new ProtobufWriter(2 ** 24);
    const large = Buffer.alloc(3_000_000, 0x62);
    writer.copy(large, 0, large.length);
    const message = writer.finish();
    expect(writer.room(0)).toHaveLength(0);
    writer.reset();
    writer.byte(1);
    expect(message.equals(large)).toBe(true);
  });
});
