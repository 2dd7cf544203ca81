// The account of a log over many processes, from what each said before it was killed. Invariant: it knows nothing of how the
// log works, only what was promised: an acknowledged entry is read, an offset names one entry, nothing goes back.

import { expectThat } from './scenario.ts';

interface Account {
  readonly dropped: Readonly<Record<string, number>>;
  readonly quarantined: number;
}

export class LibraryLedger {
  duplicates = 0;
  /** Id by offset, as acknowledged and as read. */
  readonly #acknowledged = new Map<number, number>();
  readonly #read = new Map<number, number>();
  #committed = 0;
  #epoch = 0;
  #lastAcknowledged = -1;

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  /** One line of a process. @throws Broken */
  take(line: string): void {
    const [what, ...words] = line.split(' ');
    const [first = 0, second = 0] = words.map(Number);
    if (what === 'ack') this.#acknowledge(first, second);
    else if (what === 'read') this.#see(first, second);
    else if (what === 'commit') this.#committed = Math.max(this.#committed, first);
    else if (what === 'open') this.#open(words);
    else expectThat(what === 'closed', `a healthy disk gives no trouble: ${line}`);
  }

  /** All has been read that there is. @throws Broken */
  close(): void {
    const lost = [...this.#acknowledged.keys()].filter((offset) => !this.#read.has(offset));
    expectThat(
      lost.length === 0,
      `${lost.length} acknowledged entries were never read: ${lost.slice(0, 10)}`,
    );
  }

  #acknowledge(offset: number, id: number): void {
    expectThat(!this.#acknowledged.has(offset), `offset ${offset} was given to two entries`);
    this.#names(this.#read, offset, id);
    this.#acknowledged.set(offset, id);
    this.#lastAcknowledged = Math.max(this.#lastAcknowledged, offset);
  }

  #see(offset: number, id: number): void {
    this.#names(this.#acknowledged, offset, id);
    if (this.#read.has(offset)) this.duplicates += 1;
    this.#names(this.#read, offset, id);
    this.#read.set(offset, id);
  }

  #names(known: ReadonlyMap<number, number>, offset: number, id: number): void {
    const before = known.get(offset) ?? id;
    expectThat(before === id, `offset ${offset} names entry ${id}, before it named ${before}`);
  }

  #open(words: readonly string[]): void {
    const [epoch = 0, logStart = 0, highWatermark = 0, committed = 0] = words.slice(0, 4).map(Number);
    const account = JSON.parse(words.slice(4).join(' ')) as Account;
    expectThat(epoch > this.#epoch, `epoch ${epoch} comes after ${this.#epoch}`);
    expectThat(logStart <= committed, `log start ${logStart} is past what was committed, ${committed}`);
    expectThat(committed >= this.#committed, `${this.#committed} was committed, now it is ${committed}`);
    expectThat(committed <= highWatermark, `${committed} is committed, and ${highWatermark} is the end`);
    const last = this.#lastAcknowledged;
    expectThat(last < highWatermark, `${last} was acknowledged, and ${highWatermark} is the end`);
    const dropped = Object.values(account.dropped).reduce((sum, count) => sum + count, 0);
    expectThat(account.quarantined === 0 && dropped === 0, `nothing is given up: ${words[4]}`);
    this.#epoch = epoch;
  }
}
