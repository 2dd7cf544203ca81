// Writes requests to a file that is rotated: OTLP JSON lines as the Collector's otlpjsonfile receiver reads them, protobuf, or
// text for people. Invariant: a batch is delivered when its records are fsynced, so that the drain loop commits nothing that a power cut could take.

import path from 'node:path';
import { errorCode } from '../../buffer/ports/file_system.ts';
import { HoldfastError } from '../../config/error.ts';
import type { ExportBatch, Exporter, ExporterContext, Outcome } from '../exporter.ts';
import { plainPayload } from '../plain.ts';
import type { FileConfig } from './config.ts';
import { type Encoding, encodingOf } from './encoding.ts';
import { RotatedFiles } from './rotated_files.ts';
import { RotatingFile } from './rotating_file.ts';

const MEGABYTE = 1_000_000;
const DAY_MS = 86_400_000;

class FileExporter implements Exporter {
  readonly #file: RotatingFile;
  readonly #encoding: Encoding;
  readonly #id: string;
  readonly #path: string;

  constructor(config: FileConfig, { id, logger, worker = 0 }: ExporterContext) {
    const { rotation } = config;
    const file = pathFor(worker, config.path);
    this.#id = id;
    this.#path = file;
    this.#encoding = encodingOf(config);
    this.#file = new RotatingFile({
      path: file,
      max_bytes: rotation.max_megabytes * MEGABYTE,
      maxAge_ms: rotation.max_age,
      framing: this.#encoding.framing,
      now: Date.now,
      rotated: new RotatedFiles({
        path: file,
        keep_ms: rotation.max_days * DAY_MS,
        maxBackups: rotation.max_backups,
        compression: rotation.compression,
        localTime: rotation.localtime,
        now: Date.now,
        onProblem: (error) => logger.warn('rotated files are left as they are', { reason: reasonOf(error) }),
      }),
    });
  }

  /** @throws HoldfastError HF_EXPORT_FILE_OPEN, HF_EXPORT_FILE_FOREIGN */
  async start(): Promise<void> {
    try {
      await this.#file.open();
    } catch (error) {
      throw error instanceof HoldfastError ? error : openError(this.#id, this.#path, error);
    }
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

/** Rotation moves the file away under its writer, so each worker has one: `telemetry.worker-1.jsonl` beside `telemetry.jsonl`. */
function pathFor(worker: number, file: string): string {
  if (worker === 0) return file;
  const { dir, name, ext } = path.parse(file);
  return path.join(dir, `${name}.worker-${worker}${ext}`);
}

const advice: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'this user may not write there: change the owner or the mode, or name another path'],
  ['EISDIR', 'that is a directory: name a file in it'],
  ['ENOTDIR', 'a part of the path is a file: name another path'],
  ['EROFS', 'the file system is read-only: mount it for writing, or name another path'],
]);

function openError(id: string, path: string, error: unknown): HoldfastError {
  const what = advice.get(errorCode(error)) ?? reasonOf(error);
  const message = `exporter ${id} cannot open ${path} (${errorCode(error)}): ${what} (path)`;
  return new HoldfastError('HF_EXPORT_FILE_OPEN', message, false, { cause: error });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export const create = (config: FileConfig, context: ExporterContext): Exporter =>
  new FileExporter(config, context);
