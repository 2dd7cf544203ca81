// Answers what node:http could not read as a request at all: it has no ServerResponse for it, so the answer is written
// to the socket by hand. Invariant: an answer is never written after another that the client is still reading.

import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { rpcCode } from '../../otlp/status.ts';
import { hasAnswer, refusalHeaders, statusBody } from './answer.ts';
import { Refusal } from './refusal.ts';

/** Listener for `clientError` of an http.Server. The encoding of a request that could not be read is JSON. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable || hasAnswer(socket)) {
    socket.destroy();
    return;
  }
  const refusal = refusalOfParser(error.code);
  const body = statusBody(refusal, 'json');
  const headers = Object.entries({ ...refusalHeaders(refusal, 'json', body.length), Connection: 'close' });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`HTTP/1.1 ${refusal.http} ${STATUS_CODES[refusal.http]}\r\n${lines}\r\n`);
  socket.end(body);
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
