// The files that were rotated away: their names, how many are kept and how long, and compressing them. Invariant: a rotated
// file stays until its compressed form is fsynced under its own name; one that is half written is never taken for whole.

import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';

export type RotatedCompression = 'none' | 'gzip' | 'zstd';

interface RotatedFilesOptions {
  /** Of the file that is being written. */
  readonly path: string;
  /** After which a rotated file is removed; 0: never. */
  readonly keep_ms: number;
  /** Rotated files that are kept; 0: all. */
  readonly maxBackups: number;
  readonly compression: RotatedCompression;
  /** Names say the host's time instead of UTC. */
  readonly localTime: boolean;
  /** ms since the Unix epoch. */
  readonly now: () => number;
  /** What went wrong beside the way of the data: it is tried again at the next rotation. */
  readonly onProblem: (error: unknown) => void;
}

const endings: Readonly<Record<Exclude<RotatedCompression, 'none'>, string>> = { gzip: '.gz', zstd: '.zst' };
const UNFINISHED = '.tmp';
const MINUTE_MS = 60_000;
const stamp = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/;

export class RotatedFiles {
  readonly #options: RotatedFilesOptions;
  readonly #stopping = new AbortController();
  #sweeping: Promise<void> | undefined;
  #again = false;

  constructor(options: RotatedFilesOptions) {
    this.#options = options;
  }

  /** Gives the file that was being written its name for good. */
  async add(): Promise<void> {
    const { path: file, now, localTime } = this.#options;
    await fs.promises.rename(file, freeName(file, now(), localTime));
  }

  /** Compresses and removes what is due, beside the way of the data: one file after the other. */
  sweep(): void {
    if (this.#sweeping) {
      this.#again = true;
      return;
    }
    this.#sweeping = this.#sweepAll().finally(() => {
      this.#sweeping = undefined;
      if (!this.#again || this.#stopping.signal.aborted) return;
      this.#again = false;
      this.sweep();
    });
  }

  /** Resolves when nothing is being compressed or removed. */
  async idle(): Promise<void> {
    while (this.#sweeping) await this.#sweeping;
  }

  /** Ends at once: what is being compressed is begun anew at the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.idle();
  }

  async #sweepAll(): Promise<void> {
    try {
      await this.#removeOld();
      await this.#compressAll();
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#options.onProblem(error);
    }
  }

  async #removeOld(): Promise<void> {
    const { path: file, maxBackups, keep_ms, now } = this.#options;
    const rotated = await rotatedFiles(file);
    const surplus = maxBackups > 0 ? rotated.slice(0, Math.max(0, rotated.length - maxBackups)) : [];
    for (const each of rotated) {
      const { mtimeMs } = await fs.promises.stat(each.name);
      const old = keep_ms > 0 && now() - mtimeMs > keep_ms;
      if (old || surplus.includes(each)) await fs.promises.unlink(each.name);
    }
  }

  async #compressAll(): Promise<void> {
    const { path: file, compression } = this.#options;
    if (compression === 'none') return;
    const ending = endings[compression];
    for (const { name, compressed } of await rotatedFiles(file)) {
      if (this.#stopping.signal.aborted) return;
      if (!compressed) await this.#compress(name, `${name}${ending}`, compression);
    }
  }

  async #compress(from: string, to: string, compression: 'gzip' | 'zstd'): Promise<void> {
    // It only has that name when it is whole: a crash came before the original was removed.
    if (!fs.existsSync(to)) {
      const unfinished = `${to}${UNFINISHED}`;
      const { atime, mtime } = await fs.promises.stat(from);
      try {
        const coder = compression === 'gzip' ? zlib.createGzip() : zlib.createZstdCompress();
        const target = fs.createWriteStream(unfinished, { mode: 0o600 });
        await pipeline(fs.createReadStream(from), coder, target, { signal: this.#stopping.signal });
        await settle(unfinished, atime, mtime);
        await fs.promises.rename(unfinished, to);
      } catch (error) {
        await fs.promises.rm(unfinished, { force: true });
        throw error;
      }
      await syncDirectory(path.dirname(to));
    }
    await fs.promises.unlink(from);
  }
}

/** On the disk, and as old as what is in it. */
async function settle(file: string, atime: Date, mtime: Date): Promise<void> {
  const handle = await fs.promises.open(file, 'r+');
  try {
    await handle.utimes(atime, mtime);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.promises.open(directory, 'r');
  await handle.sync().finally(() => handle.close());
}

/** `telemetry-2026-11-21T07-44-50.123.jsonl` beside `telemetry.jsonl`, as the Collector names them. */
function freeName(file: string, now_ms: number, localTime: boolean): string {
  const { dir, name, ext } = path.parse(file);
  for (let at_ms = now_ms; ; at_ms++) {
    const offset_ms = localTime ? new Date(at_ms).getTimezoneOffset() * MINUTE_MS : 0;
    const time = new Date(at_ms - offset_ms).toISOString().replaceAll(':', '-').replace('Z', '');
    const candidate = path.join(dir, `${name}-${time}${ext}`);
    if (['', ...Object.values(endings)].every((ending) => !fs.existsSync(candidate + ending)))
      return candidate;
  }
}

interface RotatedFile {
  readonly name: string;
  readonly compressed: boolean;
}

/** Oldest first. A file whose compressed form is there too counts twice, for the moment until it is removed. */
async function rotatedFiles(file: string): Promise<RotatedFile[]> {
  const { dir, name, ext } = path.parse(file);
  const found: RotatedFile[] = [];
  for (const each of (await fs.promises.readdir(dir || '.')).sort()) {
    if (!each.startsWith(`${name}-`)) continue;
    const ending = ['', ...Object.values(endings)].find((possible) => {
      const end = `${ext}${possible}`;
      return each.endsWith(end) && stamp.test(each.slice(name.length + 1, each.length - end.length));
    });
    if (ending !== undefined) found.push({ name: path.join(dir, each), compressed: ending !== '' });
  }
  return found;
}
