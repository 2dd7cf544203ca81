// The answer to an export: Export{Trace,Metrics,Logs}ServiceResponse, in protobuf and in JSON.
// Invariant: reading never throws, whatever a backend sends; what cannot be read is undefined.
// Source: opentelemetry-proto, docs/specification.md, "Partial Success".

import type { Signal } from './signal.ts';
import { FieldReader, lengthField, textField, varintField } from './wire.ts';

export interface PartialSuccess {
  readonly rejectedItems: number;
  /** English; may stand alone as a warning while `rejectedItems` is 0. */
  readonly message: string;
}

/** Full success where `partial` is missing. */
export interface ExportResponse {
  readonly partial?: PartialSuccess;
}

const rejectedKey: Readonly<Record<Signal, string>> = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
};

/** Full success is no bytes at all. The three signals share one wire form. */
export function encodeExportResponse(response: ExportResponse): Uint8Array {
  const { partial } = response;
  if (!partial) return new Uint8Array(0);
  return lengthField(
    1,
    Buffer.concat([varintField(1, partial.rejectedItems), textField(2, partial.message)]),
  );
}

export function decodeExportResponse(bytes: Uint8Array): ExportResponse | undefined {
  try {
    let rejectedItems = 0;
    let message = '';
    for (const outer = new FieldReader(bytes); outer.next(); ) {
      if (outer.number !== 1) continue;
      if (outer.wireType !== 2) return undefined;
      for (const inner = new FieldReader(bytes, outer.start, outer.stop); inner.next(); ) {
        if (inner.number === 1 && inner.wireType === 0) rejectedItems = inner.integer();
        if (inner.number === 2 && inner.wireType === 2) message = inner.text();
      }
    }
    return exportResponse(rejectedItems, message);
  } catch {
    return undefined;
  }
}

/** 64-bit integers are strings in JSON (protobuf JSON mapping). */
export function exportResponseToJson(signal: Signal, response: ExportResponse): string {
  const { partial } = response;
  if (!partial) return '{}';
  return JSON.stringify({
    partialSuccess: {
      ...(partial.rejectedItems !== 0 && { [rejectedKey[signal]]: String(partial.rejectedItems) }),
      ...(partial.message !== '' && { errorMessage: partial.message }),
    },
  });
}

export function exportResponseFromJson(signal: Signal, text: string): ExportResponse | undefined {
  const response = parseObject(text);
  if (!response) return undefined;
  const partial = response['partialSuccess'] ?? {};
  if (typeof partial !== 'object') return undefined;
  const fields = partial as Record<string, unknown>;
  const rejectedItems = Number(fields[rejectedKey[signal]] ?? 0);
  const message = fields['errorMessage'] ?? '';
  if (!Number.isFinite(rejectedItems) || typeof message !== 'string') return undefined;
  return exportResponse(rejectedItems, message);
}

/** A partial success that says nothing is none (specification: "populated"). A negative count is taken for nonsense. */
function exportResponse(rejectedItems: number, message: string): ExportResponse {
  const rejected = Math.max(0, rejectedItems);
  return rejected === 0 && message === '' ? {} : { partial: { rejectedItems: rejected, message } };
}

/** The object that `text` is, or undefined when it is anything else. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
