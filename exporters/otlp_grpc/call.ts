// One unary gRPC call on an HTTP/2 stream. Invariant: settles exactly once, at the latest when the signal aborts, and no more
// of the answer is read than allowed. Source: grpc, doc/PROTOCOL-HTTP2.md.

import http2 from 'node:http2';
import { HoldfastError } from '../../config/error.ts';
import type { Link } from './link.ts';

export interface CallAnswer {
  /** Of HTTP; gRPC's own answers have 200. */
  readonly httpStatus: number;
  /** `grpc-status`; undefined where the answer ended without one. */
  readonly status: number | undefined;
  /** `grpc-message`, decoded. */
  readonly message: string;
  /** `grpc-status-details-bin`, decoded: a google.rpc.Status. */
  readonly details: Uint8Array | undefined;
  /** The response message; empty where there is none, or where it is compressed, broken or too long. */
  readonly response: Uint8Array;
}

/** Compressed flag and length (PROTOCOL-HTTP2, "Length-Prefixed-Message"). */
export const MESSAGE_PREFIX_BYTES = 5;

export interface CallRequest {
  readonly headers: http2.OutgoingHttpHeaders;
  /** With its prefix. */
  readonly body: Uint8Array;
  readonly responseBytesMax: number;
}

/** The destination has looked at nothing of the request: it can be sent again at once (RFC 9113, 8.7). */
export class StreamRefused extends HoldfastError {
  constructor() {
    super('HF_EXPORT_STREAM_REFUSED', 'the destination takes no more requests on this connection', true);
  }
}

/** Rejects with StreamRefused, with what the network did, or with the signal's reason. */
export function call(link: Link, request: CallRequest, signal: AbortSignal): Promise<CallAnswer> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const stream = link.request(request.headers);
    let head: http2.IncomingHttpHeaders = {};
    let trailers: http2.IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    let bytes = 0;
    const abort = (): void => void stream.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort);
    stream.on('response', (headers) => {
      head = headers;
    });
    stream.on('trailers', (headers) => {
      trailers = headers;
    });
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      // Read on without keeping it: what counts stands in the trailers.
      if (bytes <= request.responseBytesMax) chunks.push(chunk);
      else if (bytes > GIVE_UP_FACTOR * request.responseBytesMax) {
        stream.destroy(new Error('the answer is longer than is read'));
      }
    });
    let failure: unknown;
    stream.on('error', (error) => {
      failure = error;
    });
    stream.on('close', () => {
      signal.removeEventListener('abort', abort);
      const whole = bytes <= request.responseBytesMax ? Buffer.concat(chunks) : Buffer.alloc(0);
      const answer = answerOf(head, trailers, whole);
      if (stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM) failure = new StreamRefused();
      // A destination may say no, and mean it, before it has read all: then the stream ends with an error too.
      if (answer.status === undefined && failure !== undefined) reject(failure);
      else resolve(answer);
    });
    stream.end(request.body);
  });
}

const GIVE_UP_FACTOR = 2;

function answerOf(
  head: http2.IncomingHttpHeaders,
  trailers: http2.IncomingHttpHeaders,
  body: Buffer,
): CallAnswer {
  // A refusal without any message has all of it in its only headers ("Trailers-Only").
  const last = trailers['grpc-status'] === undefined ? head : trailers;
  const status = text(last['grpc-status']);
  const details = text(last['grpc-status-details-bin']);
  return {
    httpStatus: Number(head[':status'] ?? 0),
    status: status !== undefined && /^\d{1,4}$/.test(status) ? Number(status) : undefined,
    message: decoded(text(last['grpc-message']) ?? ''),
    details: details === undefined ? undefined : Buffer.from(details, 'base64'),
    response: messageOf(body),
  };
}

function messageOf(body: Buffer): Uint8Array {
  if (body.length < MESSAGE_PREFIX_BYTES || body[0] !== 0) return new Uint8Array(0);
  const end = MESSAGE_PREFIX_BYTES + body.readUInt32BE(1);
  return end <= body.length ? body.subarray(MESSAGE_PREFIX_BYTES, end) : new Uint8Array(0);
}

/** Percent-encoded UTF-8; what is not, is shown as it came. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

function text(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
