// Reads the head of a gRPC call: may its message be read, and as what? Pure, so that every refusal is decided before a byte
// of the message is touched. Source: gRPC over HTTP/2 (PROTOCOL-HTTP2.md), compression.md, statuscodes.md.

import type { IncomingHttpHeaders } from 'node:http2';
import { exportPathOf } from '../../../otlp/service.ts';
import { type Signal, signals } from '../../../otlp/signal.ts';
import { rpcCode } from '../../../otlp/status.ts';
import type { Compression } from '../../server/decompress/decompress.ts';
import { Refusal } from '../../server/refusal.ts';

/** What `grpc-encoding` may be, as `grpc-accept-encoding` tells it. */
export const ACCEPTED = 'identity,gzip,deflate,zstd';

export interface GrpcHead {
  readonly signal: Signal;
  /** Of a message whose flag says that it is compressed. */
  readonly compression: Compression | undefined;
}

const signalOfPath: ReadonlyMap<string, Signal> = new Map(signals.map((each) => [exportPathOf(each), each]));

const GRPC_TYPE = /^application\/grpc(\+proto)?(;|$)/i;

export function signalOf(headers: IncomingHttpHeaders): Signal | undefined {
  return signalOfPath.get(headers[':path'] ?? '');
}

/** The signal that a request of HTTP/1 is for, by the path that OTLP has for it. */
export function signalOfHttp(head: string): Signal | undefined {
  const [, name] = /^[A-Z]+ \/v1\/([a-z]+)[ ?]/.exec(head) ?? [];
  return signals.find((each) => each === name);
}

/** @throws Refusal UNIMPLEMENTED; 405 or 415 for what is not gRPC at all */
export function readGrpcHead(headers: IncomingHttpHeaders, signals: ReadonlySet<Signal>): GrpcHead {
  const { UNIMPLEMENTED } = rpcCode;
  if (headers[':method'] !== 'POST') throw new Refusal(405, UNIMPLEMENTED, 'only POST is taken here');
  if (!GRPC_TYPE.test(headers['content-type'] ?? '')) {
    throw new Refusal(415, UNIMPLEMENTED, 'the content-type must be application/grpc');
  }
  const signal = signalOf(headers);
  if (signal === undefined) throw new Refusal(404, UNIMPLEMENTED, 'no such method');
  if (!signals.has(signal)) {
    throw new Refusal(404, UNIMPLEMENTED, `no pipeline takes ${signal} from this receiver`);
  }
  return { signal, compression: compressionOf(headers['grpc-encoding']) };
}

function compressionOf(encoding: string | string[] | undefined): Compression | undefined {
  switch (encoding) {
    case undefined:
    case 'identity':
      return undefined;
    case 'gzip':
    case 'deflate':
    case 'zstd':
      return encoding;
    default:
      throw new Refusal(400, rpcCode.UNIMPLEMENTED, `the grpc-encoding must be one of ${ACCEPTED}`);
  }
}
