// What a client is told when its request is not taken: one table from error to HTTP status, gRPC code and delay.
// Invariant: no error becomes a success, and the inner workings of the agent (paths, stacks) never reach a client.

import { HoldfastError } from '../../config/error.ts';
import type { Logger } from '../../config/logger.ts';
import { MalformedOtlp } from '../../otlp/malformed.ts';
import { OtlpTooLarge } from '../../otlp/protobuf_writer.ts';
import { type RpcStatus, rpcCode } from '../../otlp/status.ts';
import { IntakeFull, IntakeTooLarge } from '../receiver.ts';

/** What a client should wait where nothing better is known, s. */
const RETRY_AFTER_S = 1;

export class Refusal extends HoldfastError {
  /** HTTP status code. */
  readonly http: number;
  /** google.rpc.Code. */
  readonly rpc: number;
  /** Set where the client should come back. */
  readonly retryAfter_s: number | undefined;

  constructor(http: number, rpc: number, message: string, retryAfter_s?: number, cause?: unknown) {
    super('HF_RECEIVER_REFUSED', message, retryAfter_s !== undefined, { cause });
    this.http = http;
    this.rpc = rpc;
    this.retryAfter_s = retryAfter_s;
  }

  status(): RpcStatus {
    const { rpc: code, message, retryAfter_s } = this;
    return { code, message, ...(retryAfter_s !== undefined && { retryDelay_ms: retryAfter_s * 1000 }) };
  }
}

/** Nobody that is known: 401 (RFC 9110, 15.5.2). */
export class Unauthenticated extends Refusal {
  /** For WWW-Authenticate. */
  readonly challenge: string;

  constructor(challenge: string) {
    super(401, rpcCode.UNAUTHENTICATED, 'the credentials are missing or wrong');
    this.challenge = challenge;
  }
}

export function tooLarge(limit: number, what: string): Refusal {
  return new Refusal(413, rpcCode.RESOURCE_EXHAUSTED, `${what} is larger than ${limit} bytes`);
}

export function malformed(message: string, cause?: unknown): Refusal {
  return new Refusal(400, rpcCode.INVALID_ARGUMENT, message, undefined, cause);
}

export function overloaded(message: string): Refusal {
  return new Refusal(503, rpcCode.UNAVAILABLE, message, RETRY_AFTER_S);
}

/** Whatever was thrown on the way to the disk, as the client shall see it. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof MalformedOtlp) return malformed(error.message, error);
  if (error instanceof OtlpTooLarge) {
    return new Refusal(413, rpcCode.RESOURCE_EXHAUSTED, error.message, undefined, error);
  }
  if (error instanceof IntakeFull) {
    const retryAfter_s = Math.max(RETRY_AFTER_S, error.retryAfter_s);
    return new Refusal(503, rpcCode.UNAVAILABLE, error.message, retryAfter_s, error);
  }
  if (error instanceof IntakeTooLarge) {
    return new Refusal(413, rpcCode.RESOURCE_EXHAUSTED, error.message, undefined, error);
  }
  const code = error instanceof HoldfastError ? error.code : 'HF_RECEIVER_INTERNAL';
  const message = `the request could not be stored (${code})`;
  return error instanceof HoldfastError && error.retryable
    ? new Refusal(503, rpcCode.UNAVAILABLE, message, RETRY_AFTER_S, error)
    : new Refusal(500, rpcCode.INTERNAL, message, undefined, error);
}

/** Whether the receiver said no by itself: what the intake refuses, it counts. */
export function refusedHere(error: unknown): boolean {
  return error instanceof Refusal || error instanceof MalformedOtlp || error instanceof OtlpTooLarge;
}

/** The agent's own faults are errors, bad requests warnings; being full is reported by what is full, once. */
export function logRefusal(logger: Logger, transport: string, refusal: Refusal): void {
  const fields = { transport, status: refusal.http, reason: refusal.message };
  if (refusal.http === 500) logger.error('request failed', { ...fields, cause: String(refusal.cause) });
  else if (refusal.http < 500) logger.warn('request refused', fields);
  else logger.debug('request put off', { ...fields, cause: String(refusal.cause ?? '') });
}
