import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { MalformedOtlp } from '../../otlp/malformed.ts';
import { afterVarint, varintAt } from '../../otlp/varint.ts';
import { FieldReader, int64At, lengthField, textField, uint64At, varintField } from '../../otlp/wire.ts';

describe('varints', () => {
  it('of 64 bits are read with all their digits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        const bytes = protobuf.Writer.create().uint64(value.toString()).finish();
        expect(afterVarint(bytes, 0, bytes.length)).toBe(bytes.length);
        expect(uint64At(bytes, 0, bytes.length)).toBe(value);
        expect(int64At(bytes, 0, bytes.length)).toBe(BigInt.asIntN(64, value));
      }),
    );
  });

  it('up to 2^53 are exact as numbers', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const bytes = protobuf.Writer.create().uint64(value).finish();
        expect(varintAt(bytes, 0, bytes.length)).toBe(value);
      }),
    );
  });

  it('may be longer than they need, up to ten bytes', () => {
    const overlong = Uint8Array.of(0x81, 0x80, 0x00);
    expect(afterVarint(overlong, 0, 3)).toBe(3);
    expect(varintAt(overlong, 0, 3)).toBe(1);
  });

  it('that do not end are refused without reading past the end', () => {
    expect(() => afterVarint(Uint8Array.of(0x80, 0x80, 0x01), 0, 2)).toThrow(MalformedOtlp);
    expect(() => afterVarint(new Uint8Array(0), 0, 0)).toThrow(/ends within a varint at byte 0/);
  });
});

describe('written fields', () => {
  it('are those of protobufjs', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 29 - 2 }), fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), (n, value) => {
        const theirs = protobuf.Writer.create()
          .uint32((n + 1) * 8)
          .int64(value.toString())
          .finish();
        expect(Buffer.from(varintField(n + 1, value))).toEqual(Buffer.from(theirs));
      }),
    );
    const text = protobuf.Writer.create().uint32(18).string('é'.repeat(100)).finish();
    expect(Buffer.from(textField(2, 'é'.repeat(100)))).toEqual(Buffer.from(text));
  });

  it('write negative numbers as ten bytes, as protobuf does', () => {
    expect(varintField(1, -1)).toHaveLength(11);
  });

  it('leave out defaults, but not empty messages', () => {
    expect(varintField(1, 0)).toHaveLength(0);
    expect(textField(1, '')).toHaveLength(0);
    expect([...lengthField(1, new Uint8Array(0))]).toEqual([10, 0]);
  });
});

describe('FieldReader', () => {
  it('stays within its bounds', () => {
    const bytes = Uint8Array.of(0xff, 10, 2, 0x61, 0x62, 16, 7, 0xff);
    const reader = new FieldReader(bytes, 1, 7);
    expect(reader.next()).toBe(true);
    expect([reader.number, reader.wireType, reader.text()]).toEqual([1, 2, 'ab']);
    expect([...reader.content()]).toEqual([0x61, 0x62]);
    expect(reader.next()).toBe(true);
    expect([reader.number, reader.integer()]).toEqual([2, 7]);
    expect(reader.next()).toBe(false);
    expect(() => new FieldReader(bytes, 1, 4).next()).toThrow(/passes the end/);
  });
});
