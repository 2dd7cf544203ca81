// Writes OTLP JSON lines, one Export*ServiceRequest each, as the Collector's otlpjsonfile receiver reads them. Invariant:
// a batch is delivered when its lines are fsynced, so that the drain loop commits nothing that a power cut could take.

import { HoldfastError } from '../../config/error.ts';
import { requestToJson } from '../../otlp/json/from_protobuf.ts';
import { signals } from '../../otlp/signal.ts';
import { drainConfigOf, drainNotes } from '../drain/config.ts';
import type { ExportBatch, Exporter, ExporterFactory, Outcome } from '../exporter.ts';
import { plainPayload } from '../plain.ts';
import { type FileConfig, fileConfig } from './config.ts';
import { RotatingFile } from './rotating_file.ts';

const MEGABYTE = 1_000_000;
const DAY_MS = 86_400_000;

class FileExporter implements Exporter {
  readonly #file: RotatingFile;

  constructor({ path, rotation }: FileConfig) {
    this.#file = new RotatingFile({
      path,
      max_bytes: rotation.max_megabytes * MEGABYTE,
      maxAge_ms: rotation.max_age,
      keep_ms: rotation.max_days * DAY_MS,
      maxBackups: rotation.max_backups,
      lineStart: '{"resource',
      now: Date.now,
    });
  }

  start(): Promise<void> {
    return this.#file.open();
  }

  async send(batch: ExportBatch): Promise<Outcome> {
    let lines: Buffer;
    try {
      lines = await linesOf(batch);
    } catch (error) {
      // What cannot be shown as JSON never will be: the drain loop finds out which entry it is. Anything else, such as a lack
      // of memory, is not the entry's fault.
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: error instanceof HoldfastError ? 'rejected' : 'retry', reason };
    }
    try {
      await this.#file.append(lines);
      return { kind: 'delivered' };
    } catch (error) {
      return { kind: 'retry', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  stop(): Promise<void> {
    return this.#file.close();
  }
}

async function linesOf(batch: ExportBatch): Promise<Buffer> {
  let text = '';
  for (const entry of batch.entries) text += `${requestToJson(entry.signal, await plainPayload(entry))}\n`;
  return Buffer.from(text, 'utf8');
}

export const fileExporter: ExporterFactory<FileConfig> = {
  type: 'file',
  description:
    'Writes OTLP JSON lines to a file, rotated by size and age, fsynced before they count as delivered.',
  signals,
  schema: fileConfig,
  drain: drainConfigOf,
  notes: drainNotes,
  create: (config) => new FileExporter(config),
};
