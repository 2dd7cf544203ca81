// Writes the answer to a gRPC call: an empty response message, or a status in trailers alone.
// Invariant: a refusal reaches a client that is still sending, and then its call is reset, so that it stops.

import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { encodeStatus, rpcCode } from '../../../otlp/status.ts';
import type { Refusal } from '../../server/refusal.ts';
import { ACCEPTED } from './head.ts';

const NO_ERROR = 0;
const CONTENT_TYPE = 'application/grpc+proto';
const successHeaders: OutgoingHttpHeaders = { ':status': 200, 'content-type': CONTENT_TYPE };
const successTrailers: OutgoingHttpHeaders = { 'grpc-status': '0' };
/** Full success is an empty Export*ServiceResponse: flag and length of it, both 0. */
const emptyMessage = Buffer.alloc(5);

export function answerSuccess(stream: ServerHttp2Stream): void {
  stream.respond(successHeaders, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(successTrailers));
  stream.end(emptyMessage);
}

export function answerRefusal(stream: ServerHttp2Stream, refusal: Refusal): void {
  // What was never gRPC gets an HTTP status (PROTOCOL-HTTP2.md, Content-Type); all else is told in `grpc-status`.
  const isGrpc = refusal.http !== 405 && refusal.http !== 415;
  const headers: OutgoingHttpHeaders = {
    ':status': isGrpc ? 200 : refusal.http,
    'content-type': CONTENT_TYPE,
    'grpc-status': String(refusal.rpc),
    'grpc-message': encodeMessage(refusal.message),
    // google.rpc.Status with its details (richer error model); binary metadata is base64 without padding.
    'grpc-status-details-bin': Buffer.from(encodeStatus(refusal.status()))
      .toString('base64')
      .replace(/=+$/, ''),
  };
  if (refusal.rpc === rpcCode.UNIMPLEMENTED) headers['grpc-accept-encoding'] = ACCEPTED;
  stream.respond(headers, { endStream: true });
  stream.resume();
  // In this turn the reset would overtake the answer.
  setImmediate(() => {
    if (!stream.readableEnded) stream.close(NO_ERROR);
  });
}

/** Percent-encoding of all but printable ASCII (PROTOCOL-HTTP2.md, Percent-Encoded). */
function encodeMessage(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^ -$&-~]/gu, (character) =>
      Array.from(
        Buffer.from(character),
        (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
      ).join(''),
    );
}
