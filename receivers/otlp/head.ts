// Reads the head of an HTTP request: may its body be read, and as what? Pure, so that every refusal is decided before
// a byte of the body is touched. Invariant: what passes is a POST to a known path in an encoding that can be decoded.

import type { IncomingHttpHeaders } from 'node:http';
import type { Signal } from '../../otlp/signal.ts';
import { rpcCode } from '../../otlp/status.ts';
import { contentTypeOf, type Encoding } from '../server/answer.ts';
import { compressionOf, declaredLength, type HttpHead, mediaType, pathOf } from '../server/http_head.ts';
import { Refusal, tooLarge } from '../server/refusal.ts';

export interface Head extends HttpHead {
  readonly signal: Signal;
  /** What the body is written in, and the answer too. */
  readonly encoding: Encoding;
}

export interface HeadRules {
  /** Signal by path. */
  readonly routes: ReadonlyMap<string, Signal>;
  /** Signals that a pipeline takes. */
  readonly signals: ReadonlySet<Signal>;
  readonly maxBody_bytes: number;
}

const { protobuf: PROTOBUF, json: JSON_TYPE } = contentTypeOf;

/** The encoding of answers to a request: its own. Whoever sends neither is most likely a person with a browser or curl. */
export function answerEncoding(headers: IncomingHttpHeaders): Encoding {
  return mediaType(headers['content-type']) === PROTOBUF ? 'protobuf' : 'json';
}

/** The signal that a request target names, if it names one: its query is not looked at. */
export function signalOf(url: string | undefined, routes: ReadonlyMap<string, Signal>): Signal | undefined {
  return routes.get(pathOf(url));
}

/** @throws Refusal 400, 404, 405, 411, 413 or 415 */
export function readHead(
  method: string | undefined,
  url: string | undefined,
  headers: IncomingHttpHeaders,
  rules: HeadRules,
): Head {
  const signal = signalOf(url, rules.routes);
  if (signal === undefined) throw new Refusal(404, rpcCode.UNIMPLEMENTED, 'no such path');
  if (method !== 'POST') throw new Refusal(405, rpcCode.UNIMPLEMENTED, 'only POST is taken here');
  if (!rules.signals.has(signal)) {
    throw new Refusal(404, rpcCode.UNIMPLEMENTED, `no pipeline takes ${signal} from this receiver`);
  }
  const encoding = encodingOf(headers['content-type']);
  const compression = compressionOf(headers['content-encoding']);
  const length = declaredLength(headers);
  if (length !== undefined && length > rules.maxBody_bytes) throw tooLarge(rules.maxBody_bytes, 'the body');
  return { signal, encoding, compression, length };
}

function encodingOf(contentType: string | undefined): Encoding {
  switch (mediaType(contentType)) {
    case PROTOBUF:
      return 'protobuf';
    case JSON_TYPE:
      return 'json';
    default:
      throw new Refusal(
        415,
        rpcCode.INVALID_ARGUMENT,
        `the Content-Type must be ${PROTOBUF} or ${JSON_TYPE}`,
      );
  }
}
