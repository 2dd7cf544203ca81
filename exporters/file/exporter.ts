// Writes requests to a file that is rotated: OTLP JSON lines as the Collector's otlpjsonfile receiver reads them, protobuf, or
// text for people. Invariant: a batch is delivered when its records are fsynced, so that the drain loop commits nothing that a power cut could take.

import { HoldfastError } from '../../config/error.ts';
import { signals } from '../../otlp/signal.ts';
import { drainConfigOf, drainNotes } from '../drain/config.ts';
import type { ExportBatch, Exporter, ExporterContext, ExporterFactory, Outcome } from '../exporter.ts';
import { plainPayload } from '../plain.ts';
import { type FileConfig, fileConfig } from './config.ts';
import { type Encoding, encodingOf } from './encoding.ts';
import { RotatedFiles } from './rotated_files.ts';
import { RotatingFile } from './rotating_file.ts';

const MEGABYTE = 1_000_000;
const DAY_MS = 86_400_000;

class FileExporter implements Exporter {
  readonly #file: RotatingFile;
  readonly #encoding: Encoding;

  constructor(config: FileConfig, { logger }: ExporterContext) {
    const { path, rotation } = config;
    this.#encoding = encodingOf(config);
    this.#file = new RotatingFile({
      path,
      max_bytes: rotation.max_megabytes * MEGABYTE,
      maxAge_ms: rotation.max_age,
      framing: this.#encoding.framing,
      now: Date.now,
      rotated: new RotatedFiles({
        path,
        keep_ms: rotation.max_days * DAY_MS,
        maxBackups: rotation.max_backups,
        compression: rotation.compression,
        localTime: rotation.localtime,
        now: Date.now,
        onProblem: (error) => logger.warn('rotated files are left as they are', { reason: reasonOf(error) }),
      }),
    });
  }

  start(): Promise<void> {
    return this.#file.open();
  }

  async send(batch: ExportBatch): Promise<Outcome> {
    let records: Buffer;
    try {
      records = await this.#recordsOf(batch);
    } catch (error) {
      // What cannot be shown never will be: the drain loop finds out which entry it is. Anything else, such as a lack
      // of memory, is not the entry's fault.
      return { kind: error instanceof HoldfastError ? 'rejected' : 'retry', reason: reasonOf(error) };
    }
    try {
      await this.#file.append(records);
      return { kind: 'delivered' };
    } catch (error) {
      return { kind: 'retry', reason: reasonOf(error) };
    }
  }

  stop(): Promise<void> {
    return this.#file.close();
  }

  async #recordsOf(batch: ExportBatch): Promise<Buffer> {
    const { framing, encode } = this.#encoding;
    const records: Buffer[] = [];
    for (const entry of batch.entries) {
      const record = await encode(entry.signal, await plainPayload(entry));
      // A request without items says nothing as text.
      if (record.length > 0) records.push(framing.frame(record));
    }
    return Buffer.concat(records);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export const fileExporter: ExporterFactory<FileConfig> = {
  type: 'file',
  description:
    'Writes OTLP as JSON lines, protobuf or text to a file, rotated by size and age, fsynced before it counts as delivered.',
  signals,
  schema: fileConfig,
  drain: drainConfigOf,
  notes: drainNotes,
  create: (config, context) => new FileExporter(config, context),
};
