// Batches as the drain loop hands them to an exporter.

import zlib from 'node:zlib';
import type { ExportBatch } from '../../../exporters/exporter.ts';
import type { Entry } from '../../../otlp/entry.ts';
import type { Signal } from '../../../otlp/signal.ts';

export const text = (size: number, fill: string): Buffer => Buffer.alloc(size, fill);

export function identity(payload: Uint8Array): Entry {
  return { signal: 'traces', codec: 'identity', items: 1, rawLength: payload.length, payload };
}

export function gzipped(raw: Uint8Array): Entry {
  return { signal: 'traces', codec: 'gzip', items: 1, rawLength: raw.length, payload: zlib.gzipSync(raw) };
}

export function batchOf(entries: readonly Entry[], signal: Signal = 'traces'): ExportBatch {
  const rawBytes = entries.reduce((sum, entry) => sum + entry.rawLength, 0);
  return { signal, entries, items: entries.length, rawBytes };
}
