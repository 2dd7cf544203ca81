// Whether an answer is one that OTLP allows to a damaged request. Undefined: it is. Else what is wrong with it.

import { decodeStatus, rpcCode, statusFromJson } from '../../../otlp/status.ts';
import type { RawAnswer } from '../../receivers/otlp/grpc/raw_call.ts';
import { type Answer, JSON_TYPE, PROTOBUF } from '../../receivers/otlp/harness.ts';

/** 500 is ours: a damaged request must never be our fault. */
const refusals: ReadonlyMap<number, number> = new Map([
  [400, rpcCode.INVALID_ARGUMENT],
  [413, rpcCode.RESOURCE_EXHAUSTED],
  [503, rpcCode.UNAVAILABLE],
]);

const grpcRefusals: readonly number[] = [
  rpcCode.INVALID_ARGUMENT,
  rpcCode.RESOURCE_EXHAUSTED,
  rpcCode.UNAVAILABLE,
  rpcCode.UNIMPLEMENTED,
  rpcCode.INTERNAL,
];

export function httpFault({ status, headers, body }: Answer, json: boolean): string | undefined {
  const type = json ? JSON_TYPE : PROTOBUF;
  if (headers['content-type'] !== type) return `Content-Type ${headers['content-type']} instead of ${type}`;
  if (status === 200) return undefined;
  const code = refusals.get(status);
  if (code === undefined) return `status ${status}: ${body}`;
  const told = json ? statusFromJson(body.toString()) : decodeStatus(body);
  return told?.code === code ? undefined : `no fitting Status in a ${status}: ${body.toString('hex')}`;
}

/** @param framed whether the message was whole between its prefix and its end. */
export function grpcFault({ status, headers }: RawAnswer, framed: boolean): string | undefined {
  if (status === 0) return undefined;
  if (status === undefined || !grpcRefusals.includes(status)) return `grpc-status ${status}`;
  // Only the framing itself may be told so; what fails within the agent has the same code.
  if (framed && (status === rpcCode.INTERNAL || status === rpcCode.UNIMPLEMENTED)) {
    return `grpc-status ${status}: ${headers['grpc-message']}`;
  }
  const details = decodeStatus(Buffer.from(String(headers['grpc-status-details-bin'] ?? ''), 'base64'));
  return details?.code === status ? undefined : `no fitting Status beside grpc-status ${status}`;
}
