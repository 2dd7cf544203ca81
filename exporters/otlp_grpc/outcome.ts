// What a gRPC answer means for a batch, by the OTLP specification ("OTLP/gRPC Response", "Failures"). Pure; never throws,
// whatever a backend sends.

import { decodeExportResponse } from '../../otlp/response.ts';
import { decodeStatus, rpcCode } from '../../otlp/status.ts';
import type { Outcome } from '../exporter.ts';
import { tidy } from '../otlp/reason.ts';
import type { CallAnswer } from './call.ts';

const RETRYABLE: ReadonlySet<number> = new Set([
  rpcCode.CANCELLED,
  rpcCode.DEADLINE_EXCEEDED,
  rpcCode.ABORTED,
  rpcCode.OUT_OF_RANGE,
  rpcCode.UNAVAILABLE,
  rpcCode.DATA_LOSS,
]);

const nameOf: ReadonlyMap<number, string> = new Map(
  Object.entries(rpcCode).map(([name, code]): [number, string] => [code, name]),
);

/** `clean` takes out what must not be repeated. */
export function outcomeOf(answer: CallAnswer, clean: (text: string) => string): Outcome {
  const code = codeOf(answer);
  if (code === undefined) return { kind: 'retry', reason: 'the answer ended without a gRPC status' };
  if (code === 0) return accepted(answer, clean);
  const details = answer.details === undefined ? undefined : decodeStatus(answer.details);
  const message = tidy(clean(answer.message || details?.message || ''));
  const said =
    answer.status === undefined ? `HTTP ${answer.httpStatus}` : (nameOf.get(code) ?? `gRPC ${code}`);
  const reason = message === '' ? said : `${said}: ${message}`;
  const after_ms = details?.retryDelay_ms;
  // "Only if the server signals that it can recover": by RetryInfo. Else it is the message that is too large for it.
  const exhausted = code === rpcCode.RESOURCE_EXHAUSTED;
  if (RETRYABLE.has(code) || (exhausted && after_ms !== undefined)) {
    return { kind: 'retry', reason, ...(after_ms === undefined ? {} : { after_ms }) };
  }
  return { kind: 'rejected', reason, ...(exhausted ? { tooLarge: true } : {}) };
}

/** Whether another destination may well take what this one did not. */
export function isElsewhere(answer: CallAnswer): boolean {
  return codeOf(answer) === rpcCode.UNAVAILABLE;
}

/** Proxies answer without gRPC: grpc, doc/http-grpc-status-mapping.md. */
function codeOf({ status, httpStatus }: CallAnswer): number | undefined {
  if (status !== undefined) return status;
  switch (httpStatus) {
    case 0:
    case 200:
      return undefined;
    case 400:
      return rpcCode.INTERNAL;
    case 401:
      return rpcCode.UNAUTHENTICATED;
    case 403:
      return rpcCode.PERMISSION_DENIED;
    case 404:
      return rpcCode.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return rpcCode.UNAVAILABLE;
    default:
      return rpcCode.UNKNOWN;
  }
}

function accepted({ response }: CallAnswer, clean: (text: string) => string): Outcome {
  const partial = decodeExportResponse(response)?.partial;
  if (partial === undefined) return { kind: 'delivered' };
  return { kind: 'partial', rejectedItems: partial.rejectedItems, message: tidy(clean(partial.message)) };
}
