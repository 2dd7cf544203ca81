// google.rpc.Status, the body of every OTLP refusal, and the RetryInfo within: in protobuf and in JSON.
// Invariant: reading never throws, whatever a backend sends; what cannot be read is undefined.
// Source: googleapis google/rpc/status.proto, error_details.proto, code.proto.

import { parseObject } from './response.ts';
import { FieldReader, lengthField, textField, varintField } from './wire.ts';

/** google.rpc.Code, the names that OTLP uses. */
export const rpcCode = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export interface RpcStatus {
  readonly code: number;
  readonly message: string;
  /** RetryInfo.retry_delay. Without it there is no RetryInfo. */
  readonly retryDelay_ms?: number;
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';
const NANOSECONDS_PER_MS = 1e6;
const NANOSECONDS_PER_S = 1e9;

export function encodeStatus(status: RpcStatus): Uint8Array {
  const parts = [varintField(1, status.code), textField(2, status.message)];
  if (status.retryDelay_ms !== undefined) {
    const retryInfo = lengthField(1, encodeDuration(status.retryDelay_ms));
    parts.push(lengthField(3, Buffer.concat([lengthField(1, RETRY_INFO), lengthField(2, retryInfo)])));
  }
  return Buffer.concat(parts);
}

export function decodeStatus(bytes: Uint8Array): RpcStatus | undefined {
  try {
    let code = 0;
    let message = '';
    let retryDelay_ms: number | undefined;
    for (const field = new FieldReader(bytes); field.next(); ) {
      if (field.number === 1 && field.wireType === 0) code = field.integer();
      if (field.number === 2 && field.wireType === 2) message = field.text();
      if (field.number === 3 && field.wireType === 2) retryDelay_ms ??= retryDelayOf(field.content());
    }
    return { code, message, ...(retryDelay_ms !== undefined && { retryDelay_ms }) };
  } catch {
    return undefined;
  }
}

/** `any` is a google.protobuf.Any; undefined where it is no RetryInfo. A delay that is not given is 0. */
function retryDelayOf(any: Uint8Array): number | undefined {
  let typeUrl = '';
  let value: Uint8Array | undefined;
  for (const field = new FieldReader(any); field.next(); ) {
    if (field.number === 1 && field.wireType === 2) typeUrl = field.text();
    if (field.number === 2 && field.wireType === 2) value = field.content();
  }
  if (!typeUrl.endsWith('/google.rpc.RetryInfo')) return undefined;
  if (!value) return 0;
  let delay_ms = 0;
  for (const field = new FieldReader(value); field.next(); ) {
    if (field.number === 1 && field.wireType === 2) delay_ms = decodeDuration(field.content());
  }
  return delay_ms;
}

function encodeDuration(duration_ms: number): Uint8Array {
  const nanoseconds = Math.round(duration_ms * NANOSECONDS_PER_MS);
  const seconds = Math.floor(nanoseconds / NANOSECONDS_PER_S);
  return Buffer.concat([varintField(1, seconds), varintField(2, nanoseconds % NANOSECONDS_PER_S)]);
}

/** google.protobuf.Duration in ms, never negative. */
function decodeDuration(bytes: Uint8Array): number {
  let seconds = 0;
  let nanoseconds = 0;
  for (const field = new FieldReader(bytes); field.next(); ) {
    if (field.number === 1 && field.wireType === 0) seconds = field.integer();
    if (field.number === 2 && field.wireType === 0) nanoseconds = field.integer();
  }
  return Math.max(0, seconds * 1000 + nanoseconds / NANOSECONDS_PER_MS);
}

export function statusToJson(status: RpcStatus): string {
  const { code, message, retryDelay_ms } = status;
  const details = [{ '@type': RETRY_INFO, retryDelay: durationToJson(retryDelay_ms ?? 0) }];
  return JSON.stringify({ code, message, ...(retryDelay_ms !== undefined && { details }) });
}

/** Seconds with up to nine digits behind the point, never with an exponent. */
function durationToJson(duration_ms: number): string {
  return `${(duration_ms / 1000).toFixed(9).replace(/\.?0+$/, '')}s`;
}

export function statusFromJson(text: string): RpcStatus | undefined {
  const status = parseObject(text);
  if (!status) return undefined;
  const { code = 0, message = '', details } = status;
  if (typeof code !== 'number' || typeof message !== 'string') return undefined;
  const retryDelay_ms = Array.isArray(details) ? retryDelayOfJson(details) : undefined;
  return { code, message, ...(retryDelay_ms !== undefined && { retryDelay_ms }) };
}

function retryDelayOfJson(details: readonly unknown[]): number | undefined {
  for (const detail of details) {
    if (typeof detail !== 'object' || detail === null) continue;
    const { '@type': type, retryDelay } = detail as Record<string, unknown>;
    if (typeof type !== 'string' || !type.endsWith('/google.rpc.RetryInfo')) continue;
    const match = /^(\d{1,12}(?:\.\d{1,9})?)s$/.exec(String(retryDelay ?? '0s'));
    if (match) return Math.round(Number(match[1]) * NANOSECONDS_PER_S) / NANOSECONDS_PER_MS;
  }
  return undefined;
}
