// Writes the answer to an HTTP request: success, or a Status in the request's encoding.
// Invariant: every 4xx and 5xx has a google.rpc.Status as its body (OTLP specification), and a refusal reaches a client
// that is still sending: what it sends is read and thrown away, within bounds, before the connection is closed.

import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { encodeStatus, statusToJson } from '../../otlp/status.ts';
import { ACCEPTED } from './http_head.ts';
import { type Refusal, Unauthenticated } from './refusal.ts';

/** What an answer is written in. */
export type Encoding = 'protobuf' | 'json';

export const contentTypeOf: Readonly<Record<Encoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

/** How long a client may go on sending a body that was refused. */
const DRAIN_MS = 5000;

/** Full success is an Export*ServiceResponse with nothing in it. */
const successBody: Readonly<Record<Encoding, string>> = { protobuf: '', json: '{}' };
const successHeaders: Readonly<Record<Encoding, OutgoingHttpHeaders>> = {
  protobuf: { 'Content-Type': contentTypeOf.protobuf, 'Content-Length': successBody.protobuf.length },
  json: { 'Content-Type': contentTypeOf.json, 'Content-Length': successBody.json.length },
};

/** `last` closes the connection. */
export function answerSuccess(response: ServerResponse, encoding: Encoding, last: boolean): void {
  const headers = successHeaders[encoding];
  response.writeHead(200, last ? { ...headers, Connection: 'close' } : headers);
  response.end(successBody[encoding]);
}

export function statusBody(refusal: Refusal, encoding: Encoding): Uint8Array {
  const status = refusal.status();
  return encoding === 'protobuf' ? encodeStatus(status) : Buffer.from(statusToJson(status));
}

export function refusalHeaders(refusal: Refusal, encoding: Encoding, length: number): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'Content-Type': contentTypeOf[encoding], 'Content-Length': length };
  if (refusal.retryAfter_s !== undefined) headers['Retry-After'] = Math.ceil(refusal.retryAfter_s);
  if (refusal instanceof Unauthenticated) headers['WWW-Authenticate'] = refusal.challenge;
  if (refusal.http === 405) headers['Allow'] = 'POST';
  if (refusal.http === 415) headers['Accept-Encoding'] = ACCEPTED;
  return headers;
}

/**
 * Answers at once, even while the body still arrives. The body is then read to its end and thrown away, at most
 * `drain_bytes` of it, so that neither a reset hides the answer nor the connection is lost to the next request.
 */
export function answerRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
  encoding: Encoding,
  last: boolean,
  drain_bytes: number,
): void {
  const body = statusBody(refusal, encoding);
  const headers = refusalHeaders(refusal, encoding, body.length);
  // A client that waits for "100 Continue" will not send the body, so the connection cannot be used again.
  const unfinished = !request.complete;
  if (last || (unfinished && request.headers.expect !== undefined)) headers['Connection'] = 'close';
  response.writeHead(refusal.http, headers);
  if (!unfinished || request.headers.expect !== undefined) {
    response.end(body);
    return;
  }
  // Whole already, with its length; `end` comes once the request has been read.
  response.write(body);
  drain(request, response, drain_bytes);
}

function drain(request: IncomingMessage, response: ServerResponse, limit_bytes: number): void {
  const { socket } = request;
  let rest = limit_bytes;
  const timer = setTimeout(cut, DRAIN_MS);
  timer.unref();
  request.on('data', (chunk: Buffer) => {
    rest -= chunk.length;
    if (rest < 0) cut();
  });
  request.on('end', () => response.end());
  request.on('close', () => clearTimeout(timer));
  request.resume();
  function cut(): void {
    clearTimeout(timer);
    socket.destroySoon();
  }
}
