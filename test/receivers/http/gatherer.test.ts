import { expect, test } from '@jest/globals';
import { encodeResource } from '../../../otlp/log_writer.ts';
import { walk } from '../../../otlp/walk.ts';
import { Gatherer } from '../../../receivers/http/gatherer.ts';

function add(gatherer: Gatherer, resource: Buffer, records = 1): void {
  gatherer.setResource(resource);
  for (let left = records; left > 0; left--) {
    gatherer.log.beginRecord(0);
    gatherer.log.endRecord();
  }
}

test('records of several resources leave as one request, under the key of the first resource', () => {
  const [none, a, b] = [Buffer.alloc(0), encodeResource({ s: 'a' }), encodeResource({ s: 'b' })];
  const gatherer = new Gatherer(1000);
  for (const order of [[none, a, b], [a, a, none], [b, a, b], [none]]) {
    for (const resource of order) add(gatherer, resource, 2);
    const { bytes, items, shardKey } = gatherer.finish()!;
    expect(walk('logs', bytes)).toEqual({ items, shardKey });
    expect(items).toBe(2 * order.length);
    gatherer.reset();
  }
});

test('what is reset leaves nothing behind', () => {
  const gatherer = new Gatherer(1000);
  add(gatherer, encodeResource({ s: 'a' }));
  add(gatherer, encodeResource({ s: 'b' }));
  gatherer.reset();
  expect(gatherer.finish()).toBeUndefined();
  expect(gatherer.length).toBe(0);
});
