// A gRPC call made of exactly the headers and bytes that a test says, over node:http2.

import { once } from 'node:events';
import http2, { type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { exportPathOf } from '../../../../otlp/service.ts';

/** A message with its prefix. */
export function framed(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

export interface RawAnswer {
  readonly http: number;
  /** grpc-status; undefined where the call was reset without one. */
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface RawCall {
  readonly headers?: OutgoingHttpHeaders;
  readonly parts: readonly Uint8Array[];
  /** False leaves the call open. */
  readonly end?: boolean;
}

export class RawClient {
  readonly session: http2.ClientHttp2Session;

  constructor(port: number) {
    this.session = http2.connect(`http://127.0.0.1:${port}`);
    this.session.on('error', () => {});
  }

  async call({ headers, parts, end = true }: RawCall): Promise<RawAnswer> {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': exportPathOf('traces'),
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    stream.on('error', () => {});
    let answer: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    stream.on('response', (each) => {
      answer = each;
    });
    stream.on('trailers', (each) => {
      trailers = each;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    for (const part of parts) stream.write(part);
    if (end) stream.end();
    if (!stream.closed) await once(stream, 'close');
    const all = { ...answer, ...trailers };
    const status = all['grpc-status'];
    return {
      http: Number(answer[':status']),
      status: status === undefined ? undefined : Number(status),
      headers: all,
      body: Buffer.concat(chunks),
    };
  }

  close(): void {
    this.session.destroy();
  }
}
