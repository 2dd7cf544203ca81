// Reads the head of an HTTP request: may its body be read, and as what? Pure, so that every refusal is decided before
// a byte of the body is touched. Invariant: what passes is a POST to a known path in an encoding that can be decoded.

import type { IncomingHttpHeaders } from 'node:http';
import type { Signal } from '../../otlp/signal.ts';
import { rpcCode } from '../../otlp/status.ts';
import type { Compression } from './decompress/decompress.ts';
import { malformed, Refusal, tooLarge } from './refusal.ts';

export type Encoding = 'protobuf' | 'json';

export interface Head {
  readonly signal: Signal;
  /** What the body is written in, and the answer too. */
  readonly encoding: Encoding;
  /** How the body is compressed, if it is. */
  readonly compression: Compression | undefined;
  /** Content-Length; undefined for chunked bodies. */
  readonly length: number | undefined;
}

export interface HeadRules {
  /** Signal by path. */
  readonly routes: ReadonlyMap<string, Signal>;
  /** Signals that a pipeline takes. */
  readonly signals: ReadonlySet<Signal>;
  readonly maxBody_bytes: number;
}

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
/** What a client that was refused for its Content-Encoding may use (RFC 7694). */
export const ACCEPTED = 'gzip, deflate, zstd, identity';

export const contentTypeOf: Readonly<Record<Encoding, string>> = { protobuf: PROTOBUF, json: JSON_TYPE };

/** The encoding of answers to a request: its own. Whoever sends neither is most likely a person with a browser or curl. */
export function answerEncoding(headers: IncomingHttpHeaders): Encoding {
  return mediaType(headers['content-type']) === PROTOBUF ? 'protobuf' : 'json';
}

/** The signal that a request target names, if it names one: its query is not looked at. */
export function signalOf(url: string | undefined, routes: ReadonlyMap<string, Signal>): Signal | undefined {
  const target = url ?? '';
  const query = target.indexOf('?');
  return routes.get(query < 0 ? target : target.slice(0, query));
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

function mediaType(contentType: string | undefined): string {
  if (contentType === undefined || contentType === PROTOBUF || contentType === JSON_TYPE) {
    return contentType ?? '';
  }
  const parameters = contentType.indexOf(';');
  return (parameters < 0 ? contentType : contentType.slice(0, parameters)).trim().toLowerCase();
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

function compressionOf(contentEncoding: string | undefined): Compression | undefined {
  switch (contentEncoding?.trim().toLowerCase()) {
    case undefined:
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'deflate':
    // The Collector's other name for it.
    case 'zlib':
      return 'deflate';
    case 'zstd':
      return 'zstd';
    default:
      throw new Refusal(415, rpcCode.INVALID_ARGUMENT, `the Content-Encoding must be one of ${ACCEPTED}`);
  }
}

function declaredLength(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['content-length'];
  if (text === undefined) return headers['transfer-encoding'] === undefined ? 0 : undefined;
  const length = Number(text);
  // Node's parser lets nothing else through; a wrong number here would be a wrong allocation below.
  if (!Number.isSafeInteger(length) || length < 0) throw malformed('the Content-Length is no number');
  return length;
}
