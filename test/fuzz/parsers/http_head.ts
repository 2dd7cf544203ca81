// receivers/otlp/head.ts: whether a body is read, and as what. One line each: method, target, then headers.

import type { IncomingHttpHeaders } from 'node:http';
import { type Signal, signals } from '../../../otlp/signal.ts';
import { readHead } from '../../../receivers/otlp/head.ts';
import { Refusal } from '../../../receivers/server/refusal.ts';
import { type Parser, promise, refusedAs } from '../parser.ts';

const MAX_BYTES = 1_000;
const rules = {
  routes: new Map<string, Signal>(signals.map((signal) => [`/v1/${signal}`, signal])),
  signals: new Set<Signal>(['traces', 'logs']),
  maxBody_bytes: MAX_BYTES,
};
const lines = (...all: readonly string[]): Buffer => Buffer.from(all.join('\n'));

export const httpHeadParser: Parser = {
  name: 'http_head',
  promise: 'only a POST to a known path, of a size and in an encoding that can be taken, gets its body read',
  seeds: [
    lines('POST', '/v1/traces', 'content-type: application/x-protobuf', 'content-length: 10'),
    lines(
      'POST',
      '/v1/logs?x=1',
      'content-type: application/x-protobuf; a=b',
      'content-encoding: gzip',
      'content-length: 0',
    ),
    lines('POST', '/v1/logs', 'content-type: application/x-protobuf', 'transfer-encoding: chunked'),
  ],
  words: [
    'GET',
    '/v1/metrics',
    '/../',
    '%2f',
    '?',
    'content-length: 1001',
    '-1',
    '1e3',
    '0x10',
    ' ',
    'identity',
    'deflate',
    'application/json',
    '__proto__: a',
    'X-GZIP',
  ],
  check(input) {
    const [method, url, ...rest] = input.toString('latin1').split('\n');
    const headers: IncomingHttpHeaders = {};
    for (const line of rest) {
      const colon = line.indexOf(': ');
      if (colon > 0) headers[line.slice(0, colon)] = line.slice(colon + 2);
    }
    try {
      const { signal, length } = readHead(method, url, headers, rules);
      promise(method === 'POST' && rules.signals.has(signal), 'not for this receiver');
      promise(url?.split('?', 1)[0] === `/v1/${signal}`, 'another path');
      promise(length === undefined || (length >= 0 && length <= MAX_BYTES), `a length of ${length}`);
      return 'accepted';
    } catch (error) {
      const verdict = refusedAs(error, Refusal);
      promise([400, 404, 405, 411, 413, 415].includes((error as Refusal).http), 'another status');
      return verdict;
    }
  },
};
