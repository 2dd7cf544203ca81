// The slots that are read and not yet committed, in log order. Invariant: the committed offset never passes an entry
// that is not resolved, however out of order the answers come.

import type { Slot } from './slot.ts';
import type { Source } from './source.ts';

export class Window {
  readonly #source: Pick<Source, 'commit'>;
  readonly #slots: Slot[] = [];
  #committed: number;
  #closed = false;

  constructor(source: Pick<Source, 'commit' | 'committed'>) {
    this.#source = source;
    this.#committed = source.committed();
  }

  get length(): number {
    return this.#slots.length;
  }

  push(slot: Slot): void {
    this.#slots.push(slot);
  }

  /** Commits whatever is resolved without a gap from the front. */
  advance(): void {
    let next = this.#committed;
    let head = this.#slots[0];
    while (head !== undefined) {
      next = head.frontier();
      if (head.unresolved > 0) break;
      this.#slots.shift();
      head = this.#slots[0];
    }
    if (this.#closed || next <= this.#committed) return;
    this.#committed = next;
    void this.#source.commit(next);
  }

  /** Commits nothing from now on. */
  close(): void {
    this.#closed = true;
  }

  /** Gives back the memory of everything that was not resolved. */
  letGo(): void {
    for (const slot of this.#slots) slot.letGo();
    this.#slots.length = 0;
  }
}
