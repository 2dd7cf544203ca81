// Telemetry taken apart into single spans, metrics and log records, each with its resource and scope, as text that can be
// compared: read by protobufjs with the official messages, so that no code of ours judges ours. Invariant: how items are
// spread over requests makes no difference, and nothing else is left out.

import type { Signal } from '../../otlp/signal.ts';
import { requestType } from '../otlp/proto/types.ts';
import { Differs } from './peer.ts';

export interface Request {
  readonly signal: Signal;
  /** An Export*ServiceRequest, not compressed. */
  readonly body: Uint8Array;
}

type Message = Readonly<Record<string, unknown>>;

const names = {
  traces: { resources: 'resourceSpans', scopes: 'scopeSpans', items: 'spans' },
  metrics: { resources: 'resourceMetrics', scopes: 'scopeMetrics', items: 'metrics' },
  logs: { resources: 'resourceLogs', scopes: 'scopeLogs', items: 'logRecords' },
} as const;

/** Each once, however often it came: at least once is what is promised. */
export function itemsOf(requests: readonly Request[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { signal, body } of requests) {
    const type = requestType[signal];
    const plain = { longs: String, bytes: String, defaults: true, arrays: true };
    const request = type.toObject(type.decode(body), plain) as Message;
    const { resources, scopes, items } = names[signal];
    for (const resource of list(request, resources)) {
      for (const scope of list(resource, scopes)) {
        const around = [resource['resource'], resource['schemaUrl'], scope['scope'], scope['schemaUrl']];
        for (const item of list(scope, items)) found.add(JSON.stringify([signal, ...around, item]));
      }
    }
  }
  return found;
}

/** @returns how many items were the same. @throws Differs where one is missing or was not sent */
export function compare(what: string, sent: readonly Request[], came: readonly Request[]): number {
  const [wanted, found] = [itemsOf(sent), itemsOf(came)];
  const missing = [...wanted].filter((item) => !found.has(item));
  const invented = [...found].filter((item) => !wanted.has(item));
  if (missing.length + invented.length > 0) {
    const examples = [`missing: ${missing[0]}`, `not sent: ${invented[0]}`].join('\n');
    throw new Differs(`${what}: ${missing.length} are missing, ${invented.length} were not sent`, examples);
  }
  return wanted.size;
}

/** Whether nothing that was sent is still on its way. */
export function isComplete(sent: readonly Request[], came: readonly Request[]): boolean {
  const found = itemsOf(came);
  return [...itemsOf(sent)].every((item) => found.has(item));
}

function list(message: Message, name: string): readonly Message[] {
  return message[name] as readonly Message[];
}
