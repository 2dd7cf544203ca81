// A request as an object in the form of OTLP/JSON, gone through by resource and scope, for those who show it to people.
// Invariant: what a request leaves out is empty here, so that nobody who shows it asks twice.

import { type JsonObject, type JsonValue, requestToObject } from '../json/from_protobuf.ts';
import type { Signal } from '../signal.ts';

interface ScopeItems {
  readonly scope: JsonObject;
  readonly schemaUrl: string;
  readonly items: readonly JsonObject[];
}

interface ResourceItems {
  readonly resource: JsonObject;
  readonly schemaUrl: string;
  readonly scopes: readonly ScopeItems[];
}

/** The lists of each signal, from the outside in. */
const lists: Readonly<Record<Signal, readonly [resources: string, scopes: string, items: string]>> = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
};

/** @throws MalformedOtlp */
export function itemsOf(signal: Signal, bytes: Uint8Array): ResourceItems[] {
  const [resources, scopes, items] = lists[signal];
  return objectsOf(requestToObject(signal, bytes)[resources]).map((resource) => ({
    resource: objectOf(resource['resource']),
    schemaUrl: textOf(resource['schemaUrl']),
    scopes: objectsOf(resource[scopes]).map((scope) => ({
      scope: objectOf(scope['scope']),
      schemaUrl: textOf(scope['schemaUrl']),
      items: objectsOf(scope[items]),
    })),
  }));
}

export function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return (value ?? []) as JsonObject[];
}

export function objectOf(value: JsonValue | undefined): JsonObject {
  return (value ?? {}) as JsonObject;
}

/** Strings as they are, numbers in digits, empty where there is nothing. */
export function textOf(value: JsonValue | undefined): string {
  return value === undefined ? '' : String(value);
}

/** An AnyValue as one line of text: strings as they are, lists and maps as JSON. */
export function valueText(value: JsonValue | undefined): string {
  const plain = plainValue(objectOf(value));
  if (typeof plain === 'string') return plain;
  return plain === null ? '' : JSON.stringify(plain);
}

/** What an AnyValue holds, without the names of its types; bytes stay base64, integers above 2^53 are text. */
export function plainValue(value: JsonObject): unknown {
  const [kind] = Object.keys(value);
  const held = kind === undefined ? undefined : value[kind];
  switch (kind) {
    case undefined:
      return null;
    case 'intValue': {
      const number = Number(held);
      return Number.isSafeInteger(number) ? number : held;
    }
    case 'arrayValue':
      return objectsOf(objectOf(held)['values']).map(plainValue);
    case 'kvlistValue':
      return Object.fromEntries(
        objectsOf(objectOf(held)['values']).map(({ key, value: inner }) => [
          textOf(key),
          plainValue(objectOf(inner)),
        ]),
      );
    default:
      return held;
  }
}

const NANOSECONDS = 1_000_000_000n;

/** `2026-11-21T07:44:50.123456789Z` of nanoseconds since the epoch; empty where there are none. */
export function timeText(nanoseconds: JsonValue | undefined): string {
  const value = BigInt(textOf(nanoseconds) || 0);
  if (value === 0n) return '';
  const seconds = new Date(Number(value / NANOSECONDS) * 1000);
  // Fixed64 reaches to the year 2554, which is within what Date can say.
  return seconds.toISOString().replace('.000Z', `.${String(value % NANOSECONDS).padStart(9, '0')}Z`);
}
