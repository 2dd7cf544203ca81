// The backend of the benchmark understands what clients of OTLP send, in whatever pieces, and refuses the rest.

import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { CompressedCounts } from '../../../bench/load/compressed_counts.ts';
import { Conversation } from '../../../bench/load/conversation.ts';
import { tracesRequest } from '../../../bench/load/payload.ts';

function request(body: Uint8Array, ...headers: string[]): Buffer {
  const head = ['POST /v1/traces HTTP/1.1', 'Host: backend', `Content-Length: ${body.length}`, ...headers];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}

function begin() {
  const seen = { answers: 0, items: [] as number[] };
  const conversation = new Conversation({
    compressed: new CompressedCounts(),
    answer: () => {
      seen.answers += 1;
    },
    counted: (items) => seen.items.push(items),
  });
  return { seen, take: (bytes: Buffer) => conversation.take(bytes, bytes.length) };
}

const plain = request(tracesRequest(1, 3));
const gzip = request(gzipSync(tracesRequest(2, 5)), 'content-encoding: gzip');

describe('requests on one connection', () => {
  it('are answered and counted, however many come in one piece', () => {
    const { seen, take } = begin();
    take(Buffer.concat([plain, gzip, request(Buffer.alloc(0)), gzip, plain]));
    expect(seen).toEqual({ answers: 5, items: [3, 5, 0, 5, 3] });
  });

  it('are answered when they are whole, wherever a piece ends', () => {
    const { seen, take } = begin();
    const stream = Buffer.concat([plain, gzip]);
    for (let cut = 1; cut < stream.length; cut += 1) {
      seen.answers = 0;
      take(stream.subarray(0, cut));
      expect(seen.answers).toBe(cut < plain.length ? 0 : 1);
      take(stream.subarray(cut));
      expect(seen.answers).toBe(2);
    }
    expect(seen.items.reduce((sum, items) => sum + items, 0)).toBe(8 * (stream.length - 1));
  });

  it('may have no body', () => {
    const { seen, take } = begin();
    take(Buffer.from('GET / HTTP/1.1\r\nHost: backend\r\n\r\n'));
    expect(seen).toEqual({ answers: 1, items: [0] });
  });
});

describe('what would be counted wrongly', () => {
  it.each(['Transfer-Encoding: chunked', 'Expect: 100-continue', 'content-encoding: zstd'])(
    'throws: %s',
    (header) => {
      const { seen, take } = begin();
      expect(() => take(request(tracesRequest(1, 3), header))).toThrow('not understood');
      expect(seen).toEqual({ answers: 0, items: [] });
    },
  );

  it('throws: a head without end', () => {
    expect(() => begin().take(Buffer.alloc(20_000, 'x'))).toThrow('too long');
  });
});
