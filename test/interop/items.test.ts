import { describe, expect, it } from '@jest/globals';
import { signals } from '../../otlp/signal.ts';
import { compare, isComplete, itemsOf, type Request } from './items.ts';
import { Differs } from './peer.ts';
import { peers } from './peers.ts';
import { everySignal, requestOf } from './telemetry.ts';

const merged = (requests: readonly Request[]): Request[] =>
  signals.map((signal) => ({
    signal,
    body: Buffer.concat(requests.filter((each) => each.signal === signal).map(({ body }) => body)),
  }));

describe('what went in and what came out', () => {
  const sent = everySignal('one', 3);

  it('is the same however it is spread over requests, and however often it came', () => {
    expect(compare('all', sent, merged([...sent, ...sent]))).toBe(itemsOf(sent).size);
    expect(isComplete(sent, merged(sent))).toBe(true);
  });

  it.each(signals)('differs where %s are missing, are new, or have one byte changed', (signal) => {
    const others = sent.filter((each) => each.signal !== signal);
    const mine = sent.filter((each) => each.signal === signal);
    expect(() => compare('less', sent, [...others, ...mine.slice(1)])).toThrow(Differs);
    expect(isComplete(sent, [...others, ...mine.slice(1)])).toBe(false);
    expect(() => compare('more', sent, [...sent, requestOf(signal, 'two', 0)])).toThrow(Differs);
    const body = Buffer.from(mine[0]!.body);
    body[body.indexOf('shop-one')]! ^= 1;
    expect(() => compare('changed', sent, [...others, { signal, body }, ...mine.slice(1)])).toThrow(Differs);
  });

  it('has items that are all unlike each other', () => {
    const all = [...sent, ...everySignal('two', 2)];
    // 3 spans, 5 metrics and 3 records in a request of each signal.
    expect(itemsOf(all).size).toBe(5 * (3 + 5 + 3));
  });
});

it('peers have names of their own', () => {
  expect(new Set(peers.map(({ name }) => name)).size).toBe(peers.length);
});
