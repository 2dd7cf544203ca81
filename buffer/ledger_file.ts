// The account of a shard and the file that holds it. Invariant: writes take turns, and what a write made durable no
// damaged slot takes back.

import type { Ledger } from './ledger.ts';
import type { TwoSlotFile } from './two_slot.ts';

export class LedgerFile {
  readonly ledger: Ledger;
  readonly #file: TwoSlotFile;
  readonly #syncedBelow: () => number;
  #last: Promise<void> = Promise.resolve();
  /** The account has changed since it was last written, or what was read of it may be gone after a power cut. */
  dirty: boolean;

  constructor(ledger: Ledger, file: TwoSlotFile, durable: boolean, syncedBelow: () => number) {
    this.ledger = ledger;
    this.#file = file;
    this.dirty = !durable;
    this.#syncedBelow = syncedBelow;
  }

  /** Makes the account durable; calls take turns. */
  write(): Promise<void> {
    const write = this.#last.then(async () => {
      this.dirty = false;
      this.ledger.watermark = Math.max(this.ledger.watermark, this.#syncedBelow());
      const state = this.ledger.encode();
      try {
        // Into both slots: were one damaged later, the older state in the other would bring back what was removed.
        await this.#file.write(state);
        await this.#file.write(state);
      } catch (error) {
        this.dirty = true;
        throw error;
      }
    });
    this.#last = write.catch(() => {});
    return write;
  }

  /** Resolves when the account on disk knows all that this one knows, also where its writing is under way. */
  async settle(): Promise<void> {
    await this.#last;
    if (this.dirty) await this.write();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
