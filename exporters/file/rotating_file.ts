// A file of lines that is rotated by size and age. Invariants: `append` resolves only after the lines are fsynced; the
// file never ends in a part of a line for longer than the write that failed takes to be cut off again.

import fs from 'node:fs';
import path from 'node:path';
import { errorCode } from '../../buffer/ports/file_system.ts';

export interface RotatingFileOptions {
  readonly path: string;
  readonly max_bytes: number;
  /** After which a new file is begun; 0: size alone decides. */
  readonly maxAge_ms: number;
  /** After which a rotated file is removed; 0: never. */
  readonly keep_ms: number;
  /** Rotated files that are kept; 0: all. */
  readonly maxBackups: number;
  /** How every line begins: tells a line of ours that a crash cut short from what somebody else wrote. */
  readonly lineStart: string;
  /** ms since the Unix epoch. */
  readonly now: () => number;
}

interface Waiting {
  readonly lines: Buffer;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

const SEARCH_BYTES = 64 * 1024;

export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #handle: fs.promises.FileHandle | undefined;
  /** Bytes that are known to be whole, fsynced lines. */
  #size = 0;
  #begun_ms = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Opens the file, creating folders as needed, and cuts off a line of ours that a crash left unfinished. */
  async open(): Promise<void> {
    const { path: file, now } = this.#options;
    await makeFolders(path.dirname(file));
    const handle = await fs.promises.open(file, 'a+', 0o600);
    try {
      const stat = await handle.stat();
      this.#size = await this.#endLastLine(handle, stat.size);
      this.#begun_ms = this.#size === 0 ? now() : stat.birthtimeMs || stat.mtimeMs;
      await syncDirectory(path.dirname(file));
    } catch (error) {
      await handle.close();
      throw error;
    }
    this.#handle = handle;
  }

  /** Makes the file end in a whole line and returns its size. */
  async #endLastLine(handle: fs.promises.FileHandle, size: number): Promise<number> {
    const end = await endOfLastLine(handle, size);
    if (end === size) return size;
    const start = Buffer.alloc(this.#options.lineStart.length);
    await handle.read(start, 0, Math.min(start.length, size - end), end);
    const ours = this.#options.lineStart.startsWith(start.toString('latin1').replace(/\0+$/, ''));
    // The rest of our own line was never counted as delivered and is written again; what is not ours stays.
    if (ours) await handle.truncate(end);
    else await handle.write('\n', size);
    await handle.datasync();
    return ours ? end : size + 1;
  }

  /** Appends whole lines. What comes while a write is under way shares the next one. */
  append(lines: Buffer): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ lines, done, failed });
      this.#writing ??= this.#writeAll();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #writeAll(): Promise<void> {
    // Whoever asks in this turn of the event loop shares the sync.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(Buffer.concat(group.map(({ lines }) => lines)));
        for (const { done } of group) done();
      } catch (error) {
        for (const { failed } of group) failed(error);
      }
    }
    this.#writing = undefined;
  }

  async #write(lines: Buffer): Promise<void> {
    if (!this.#handle) await this.open();
    if (this.#isDue(lines.length)) await this.#rotate();
    const handle = this.#handle!;
    try {
      for (let done = 0; done < lines.length; ) {
        const { bytesWritten } = await handle.write(lines, done, lines.length - done, this.#size + done);
        done += bytesWritten;
      }
      await handle.datasync();
      this.#size += lines.length;
    } catch (error) {
      await this.#cutOff(handle);
      throw error;
    }
  }

  /** Takes a part of a line away; after a failed sync the file is opened anew, never synced on. */
  async #cutOff(handle: fs.promises.FileHandle): Promise<void> {
    this.#handle = undefined;
    await handle.truncate(this.#size).catch(() => {});
    await handle.close().catch(() => {});
  }

  #isDue(bytes: number): boolean {
    const { max_bytes, maxAge_ms, now } = this.#options;
    if (this.#size === 0) return false;
    return this.#size + bytes > max_bytes || (maxAge_ms > 0 && now() - this.#begun_ms > maxAge_ms);
  }

  async #rotate(): Promise<void> {
    const { path: file, now } = this.#options;
    await this.#handle?.close();
    this.#handle = undefined;
    await fs.promises.rename(file, await freeName(file, now()));
    await this.open();
    await this.#removeOld();
  }

  async #removeOld(): Promise<void> {
    const { path: file, maxBackups, keep_ms, now } = this.#options;
    const rotated = await rotatedFiles(file);
    const surplus = maxBackups > 0 ? rotated.slice(0, Math.max(0, rotated.length - maxBackups)) : [];
    for (const name of rotated) {
      const stat = await fs.promises.stat(name);
      const old = keep_ms > 0 && now() - stat.mtimeMs > keep_ms;
      if (old || surplus.includes(name)) await fs.promises.unlink(name);
    }
  }
}

/** Not `recursive`: Node turns for ever where the parent is there and yet takes no entry, as below /proc. */
async function makeFolders(folder: string): Promise<void> {
  try {
    await fs.promises.mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST') return;
    const parent = path.dirname(folder);
    if (code !== 'ENOENT' || parent === folder || fs.existsSync(parent)) throw error;
    await makeFolders(parent);
    await fs.promises.mkdir(folder, { mode: 0o700 });
  }
}

/** `telemetry-2026-11-21T07-44-50.123.jsonl` beside `telemetry.jsonl`, as the Collector names them. */
async function freeName(file: string, now_ms: number): Promise<string> {
  const { dir, name, ext } = path.parse(file);
  for (let at_ms = now_ms; ; at_ms++) {
    const stamp = new Date(at_ms).toISOString().replaceAll(':', '-').replace('Z', '');
    const candidate = path.join(dir, `${name}-${stamp}${ext}`);
    if (!fs.existsSync(candidate)) return candidate;
  }
}

/** Oldest first. */
async function rotatedFiles(file: string): Promise<string[]> {
  const { dir, name, ext } = path.parse(file);
  const stamp = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/;
  const names = await fs.promises.readdir(dir || '.');
  return names
    .filter((each) => each.startsWith(`${name}-`) && each.endsWith(ext))
    .filter((each) => stamp.test(each.slice(name.length + 1, each.length - ext.length)))
    .sort()
    .map((each) => path.join(dir, each));
}

async function endOfLastLine(handle: fs.promises.FileHandle, size: number): Promise<number> {
  const bytes = Buffer.alloc(SEARCH_BYTES);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - SEARCH_BYTES);
    const { bytesRead } = await handle.read(bytes, 0, end - start, start);
    const newline = bytes.lastIndexOf(0x0a, bytesRead - 1);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.promises.open(directory, 'r');
  await handle.sync().finally(() => handle.close());
}
