// What the heads of HTTP requests say to every receiver: path, media type, length and compression. Pure, so that every refusal
// is decided before a byte of the body is touched.

import type { IncomingHttpHeaders } from 'node:http';
import { rpcCode } from '../../otlp/status.ts';
import type { Compression } from './decompress/decompress.ts';
import { malformed, Refusal } from './refusal.ts';

export interface HttpHead {
  /** How the body is compressed, if it is. */
  readonly compression: Compression | undefined;
  /** Content-Length; undefined for chunked bodies. */
  readonly length: number | undefined;
}

/** What a client that was refused for its Content-Encoding may use (RFC 7694). */
export const ACCEPTED = 'gzip, deflate, zstd, identity';

/** The path of a request target: its query is not looked at. */
export function pathOf(url: string | undefined): string {
  const target = url ?? '';
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

/** The media type of a Content-Type, in small letters and without its parameters; empty where there is none. */
export function mediaType(contentType: string | undefined): string {
  if (
    contentType === undefined ||
    contentType === 'application/x-protobuf' ||
    contentType === 'application/json'
  ) {
    // What nearly every client writes costs no copy.
    return contentType ?? '';
  }
  const parameters = contentType.indexOf(';');
  return (parameters < 0 ? contentType : contentType.slice(0, parameters)).trim().toLowerCase();
}

/** @throws Refusal 415 */
export function compressionOf(contentEncoding: string | undefined): Compression | undefined {
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

/** Content-Length; undefined where the body comes in chunks. @throws Refusal 400 */
export function declaredLength(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['content-length'];
  if (text === undefined) return headers['transfer-encoding'] === undefined ? 0 : undefined;
  const length = Number(text);
  // Node's parser lets nothing else through; a wrong number here would be a wrong allocation below.
  if (!Number.isSafeInteger(length) || length < 0) throw malformed('the Content-Length is no number');
  return length;
}
