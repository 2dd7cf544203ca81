// The backend of the benchmark knows when all of the work has come, whatever was done to the requests on their way and in
// whatever pieces they come.

import { describe, expect, it } from '@jest/globals';
import { bodiesOf } from '../../../bench/load/bodies.ts';
import { ItemCounter } from '../../../bench/load/item_counter.ts';
import { logsRequest, Seeded, tracesRequest } from '../../../bench/load/payload.ts';
import { FieldReader, lengthField, varintField } from '../../../otlp/wire.ts';

const fixed = (tag: number, bytes: number): Uint8Array => Uint8Array.from([tag, ...new Array(bytes).fill(7)]);

/** With all that a newer version might send on the way to the items. */
function withUnknownFields(items: number): Buffer {
  const unknown = [
    varintField(9, 2 ** 40),
    fixed(8 * 8 + 1, 8),
    lengthField(10, 'x'.repeat(300)),
    fixed(11 * 8 + 5, 4),
  ];
  const parts = Array.from({ length: items }, () => lengthField(2, lengthField(2, 'span'))).flatMap(
    (item) => [item, ...unknown],
  );
  const scope = lengthField(2, Buffer.concat(parts));
  const resource = lengthField(1, Buffer.concat([...unknown, scope, ...unknown, lengthField(2, '')]));
  return Buffer.concat([...unknown, resource, ...unknown]);
}

/** The same by the code that looks into messages elsewhere. */
function countedByReader(bytes: Uint8Array, start = 0, end = bytes.length, depth = 0): number {
  const reader = new FieldReader(bytes, start, end);
  let items = 0;
  while (reader.next()) {
    if (reader.wireType !== 2 || reader.number !== [1, 2, 2][depth]) continue;
    items += depth === 2 ? 1 : countedByReader(bytes, reader.start, reader.stop, depth + 1);
  }
  return items;
}

function countedAtOnce(bytes: Uint8Array): number {
  const counter = new ItemCounter();
  counter.add(bytes, 0, bytes.length);
  return counter.end();
}

describe('the items of a request', () => {
  it('are counted alone, merged, and among fields that nobody knows', () => {
    const [seven, three] = [tracesRequest(1, 7), tracesRequest(2, 3)];
    expect(countedAtOnce(seven)).toBe(7);
    expect(countedAtOnce(Buffer.concat([seven, three]))).toBe(10);
    expect(countedAtOnce(logsRequest(1, 5))).toBe(5);
    expect(countedAtOnce(withUnknownFields(6))).toBe(6);
    expect(countedAtOnce(Buffer.alloc(0))).toBe(0);
  });

  it('are as many as the generator says that it sent', () => {
    const counter = new ItemCounter();
    for (const kind of ['spans', 'records', 'few spans'] as const) {
      for (const { bytes, items } of bodiesOf(kind, false)) {
        counter.add(bytes, 0, bytes.length);
        expect(counter.end()).toBe(items);
      }
    }
  });

  it('are the same wherever a piece ends', () => {
    const bytes = Buffer.concat([tracesRequest(1, 2), withUnknownFields(3), logsRequest(2, 2)]);
    const counter = new ItemCounter();
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      counter.add(bytes, 0, cut);
      counter.add(bytes.subarray(cut), 0, bytes.length - cut);
      expect(counter.end()).toBe(7);
    }
    for (let at = 0; at < bytes.length; at += 1) counter.add(bytes, at, at + 1);
    expect(counter.end()).toBe(7);
  });

  it('are those that a reader of messages finds, or the request is refused, whatever happened to its bytes', () => {
    const random = new Seeded(20261121);
    const whole = Buffer.concat([withUnknownFields(3), tracesRequest(5, 2)]);
    let refused = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const damaged = Buffer.from(whole.subarray(0, 1 + (random.next() % whole.length)));
      for (let flips = random.next() % 3; flips > 0; flips -= 1) {
        damaged[random.next() % damaged.length] = random.next();
      }
      let counted: number | undefined;
      try {
        counted = countedAtOnce(damaged);
      } catch {
        refused += 1;
        continue;
      }
      expect(counted).toBe(countedByReader(damaged));
    }
    expect(refused).toBeGreaterThan(1000);
  });
});

describe('what is no request', () => {
  it.each<[string, Buffer]>([
    ['that ends within an item', tracesRequest(1, 3).subarray(0, -1)],
    ['that ends within a length', Buffer.from([10, 0x80])],
    ['that ends behind a tag', Buffer.from([10])],
    ['whose scope is longer than its resource', Buffer.from([10, 2, 18, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
    ['whose varint has no end', Buffer.concat([Buffer.from([8]), Buffer.alloc(20, 0xff)])],
    ['with a group', Buffer.from([11, 12])],
    ['with field number 0', Buffer.from([2, 0])],
  ])('throws: one %s', (_, bytes) => {
    expect(() => countedAtOnce(bytes)).toThrow('not a request of OTLP');
  });
});
