// A file of records that is rotated by size and age. Invariants: `append` resolves only after the records are fsynced; the
// file never ends in a part of a record for longer than the write that failed takes to be cut off again.

import fs from 'node:fs';
import path from 'node:path';
import { errorCode } from '../../buffer/ports/file_system.ts';
import type { Framing } from './framing.ts';
import { type RotatedFiles, syncDirectory } from './rotated_files.ts';

interface RotatingFileOptions {
  readonly path: string;
  readonly max_bytes: number;
  /** After which a new file is begun; 0: size alone decides. */
  readonly maxAge_ms: number;
  readonly framing: Framing;
  readonly rotated: RotatedFiles;
  /** ms since the Unix epoch. */
  readonly now: () => number;
}

interface Waiting {
  readonly records: Buffer;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #handle: fs.promises.FileHandle | undefined;
  /** Bytes that are known to be whole, fsynced records. */
  #size = 0;
  #begun_ms = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Opens the file, creating folders as needed, and cuts off a record of ours that a crash left unfinished. */
  async open(): Promise<void> {
    const { path: file, framing, rotated, now } = this.#options;
    await makeFolders(path.dirname(file));
    const handle = await fs.promises.open(file, 'a+', 0o600);
    try {
      const stat = await handle.stat();
      this.#size = await framing.mend(handle, stat.size);
      this.#begun_ms = this.#size === 0 ? now() : stat.birthtimeMs || stat.mtimeMs;
      await syncDirectory(path.dirname(file));
    } catch (error) {
      await handle.close();
      throw error;
    }
    this.#handle = handle;
    rotated.sweep();
  }

  /** Appends framed records. What comes while a write is under way shares the next one. */
  append(records: Buffer): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ records, done, failed });
      this.#writing ??= this.#writeAll();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#handle?.close();
    this.#handle = undefined;
    await this.#options.rotated.stop();
  }

  async #writeAll(): Promise<void> {
    // Whoever asks in this turn of the event loop shares the sync.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(Buffer.concat(group.map(({ records }) => records)));
        for (const { done } of group) done();
      } catch (error) {
        for (const { failed } of group) failed(error);
      }
    }
    this.#writing = undefined;
  }

  async #write(records: Buffer): Promise<void> {
    if (!this.#handle) await this.open();
    if (this.#isDue(records.length)) await this.#rotate();
    const handle = this.#handle!;
    try {
      for (let done = 0; done < records.length; ) {
        const { bytesWritten } = await handle.write(records, done, records.length - done, this.#size + done);
        done += bytesWritten;
      }
      await handle.datasync();
      this.#size += records.length;
    } catch (error) {
      await this.#cutOff(handle);
      throw error;
    }
  }

  /** Takes a part of a record away; after a failed sync the file is opened anew, never synced on. */
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
    await this.#handle?.close();
    this.#handle = undefined;
    await this.#options.rotated.add();
    await this.open();
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
