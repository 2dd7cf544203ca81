// Answers what node:http could not read as a request at all: where it has no ServerResponse for it, the answer is written to the
// socket by hand. Invariant: it comes behind the answers to all that was sent before it, and never behind another to the same
// request.

import { type OutgoingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { rpcCode } from '../../otlp/status.ts';
import { refusalHeaders, statusBody } from './answer.ts';
import { Refusal } from './refusal.ts';

/** How long a client may take to close its side: Node looks no more after a connection whose request it gave up. */
const CLOSE_MS = 5000;

/** Sockets whose answer waits for those before it: what else is wrong with them adds nothing. */
const told = new WeakSet<Duplex>();

/**
 * For `clientError` of an http.Server. The encoding of a request that could not be read is JSON.
 * @param pending the last answer that is still to go out on this connection
 */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  pending: ServerResponse | undefined,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  if (told.has(socket)) return;
  const refusal = refusalOfParser(error.code);
  if (pending === undefined) {
    answerByHand(socket, refusal);
    return;
  }
  told.add(socket);
  const { req: request } = pending;
  if (request.complete) {
    // Before Node's own listener, which closes the connection where the client has closed its side.
    pending.prependOnceListener('finish', () => answerByHand(socket, refusal));
    return;
  }
  // It broke off within that request, so this is the answer to it, where it has none yet. Whoever reads it hears that it is over.
  pending.once('finish', () => request.destroy());
  if (pending.headersSent) {
    pending.end();
    return;
  }
  const { headers, body } = lastAnswer(refusal);
  pending.writeHead(refusal.http, headers).end(body);
}

/** Writes a whole answer to a socket behind which there is no ServerResponse, and ends it: soon also where the client does not. */
export function answerByHand(socket: Duplex, refusal: Refusal): void {
  const timer = setTimeout(() => socket.destroy(), CLOSE_MS).unref();
  socket.once('close', () => clearTimeout(timer));
  const { headers, body } = lastAnswer(refusal);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${refusal.http} ${STATUS_CODES[refusal.http]}\r\n${lines.join('')}\r\n`);
  socket.end(body);
}

function lastAnswer(refusal: Refusal): { headers: OutgoingHttpHeaders; body: Uint8Array } {
  const body = statusBody(refusal, 'json');
  return { headers: { ...refusalHeaders(refusal, 'json', body.length), Connection: 'close' }, body };
}

function refusalOfParser(code: string | undefined): Refusal {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Refusal(408, rpcCode.DEADLINE_EXCEEDED, 'the request did not arrive in time');
    case 'HPE_HEADER_OVERFLOW':
      return new Refusal(431, rpcCode.INVALID_ARGUMENT, 'the headers are too large');
    default:
      return new Refusal(400, rpcCode.INVALID_ARGUMENT, 'not a valid HTTP request');
  }
}
