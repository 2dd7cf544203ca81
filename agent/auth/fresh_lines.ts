// The lines of a small file that somebody else may replace while the agent runs: tokens, passwords. Invariant: what is
// asked is at most RECHECK_MS old, and a file that cannot be used leaves what was read before: it never opens a door.

import { HoldfastError } from '../../config/error.ts';
import type { Logger } from '../../config/logger.ts';
import { readTextFile } from '../../config/text_file.ts';

const RECHECK_MS = 1000;

export interface FreshLinesOptions {
  readonly path: string;
  /** Of the extension, for errors. */
  readonly id: string;
  readonly logger: Logger;
  readonly now_ms?: () => number;
}

export class FreshLines<Value> {
  readonly #options: FreshLinesOptions;
  readonly #parse: (lines: readonly string[]) => Value;
  readonly #now_ms: () => number;
  #text: string;
  #value: Value;
  #read_ms: number;
  #reported: string | undefined;

  /** @param parse throws for what cannot be used. @throws HoldfastError HF_AUTH_FILE, or what `parse` throws */
  constructor(options: FreshLinesOptions, parse: (lines: readonly string[]) => Value) {
    this.#options = options;
    this.#parse = parse;
    this.#now_ms = options.now_ms ?? Date.now;
    this.#read_ms = this.#now_ms();
    this.#text = this.#read();
    this.#value = parse(linesOf(this.#text));
  }

  get value(): Value {
    const now_ms = this.#now_ms();
    // A clock that was set back makes it read again, too.
    if (Math.abs(now_ms - this.#read_ms) >= RECHECK_MS) {
      this.#read_ms = now_ms;
      this.#refresh();
    }
    return this.#value;
  }

  #refresh(): void {
    try {
      const text = this.#read();
      if (text !== this.#text) this.#value = this.#parse(linesOf(text));
      this.#text = text;
      this.#reported = undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason === this.#reported) return;
      this.#reported = reason;
      this.#options.logger.warn('credentials cannot be read again; those before stay', { reason });
    }
  }

  #read(): string {
    const { path, id } = this.#options;
    const text = readTextFile(path);
    if (!text.ok) throw new HoldfastError('HF_AUTH_FILE', `${id}: the file ${path} ${text.reason}`, false);
    return text.value;
  }
}

/** Without white space around them and without empty ones. */
export function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
