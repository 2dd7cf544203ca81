// What several logs under one disk budget hold, in memory that their threads share. Invariants: a log writes its own cells
// alone, so nothing is counted twice, and a thread that died leaves what its files still take; one log drops data at a time.

/** 2^32 of them are 16 TiB a log. */
const UNIT_BYTES = 4096;
const TURN = 0;
const FIRST_CELL = 1;
const CELLS = 2;
const HELD = 0;
const WANTED = 1;

export class SharedDisk {
  readonly #cells: Uint32Array;
  readonly #own: number;

  /** @param memory of `SharedDisk.memory`, the same for all logs. @param log which of them, from 0 */
  constructor(memory: SharedArrayBuffer, log: number) {
    this.#cells = new Uint32Array(memory);
    this.#own = log;
    if (FIRST_CELL + CELLS * (log + 1) > this.#cells.length)
      throw new RangeError(`there is no place for log ${log}`);
  }

  static memory(logs: number): SharedArrayBuffer {
    return new SharedArrayBuffer((FIRST_CELL + CELLS * logs) * Uint32Array.BYTES_PER_ELEMENT);
  }

  /** A thread is gone: what it was doing is not under way any more. Its files stay, and so does what they hold. */
  static abandon(memory: SharedArrayBuffer, log: number): void {
    const disk = new SharedDisk(memory, log);
    disk.endTurn();
    disk.want(0);
  }

  /** On disk or about to be, of the other logs, bytes; each rounded up to 4 KiB. */
  get others_bytes(): number {
    let units = 0;
    const { length } = this.#cells;
    for (let cell = FIRST_CELL + HELD; cell < length; cell += CELLS) units += Atomics.load(this.#cells, cell);
    return units * UNIT_BYTES - this.held_bytes;
  }

  /** The largest append that any other log had to refuse, bytes; 0: none. */
  get othersWanted_bytes(): number {
    let units = 0;
    const { length } = this.#cells;
    for (let cell = FIRST_CELL + WANTED; cell < length; cell += CELLS) {
      if (cell !== this.#cellOf(WANTED)) units = Math.max(units, Atomics.load(this.#cells, cell));
    }
    return units * UNIT_BYTES;
  }

  /** What was last said of this log, by whoever had it. */
  get held_bytes(): number {
    return Atomics.load(this.#cells, this.#cellOf(HELD)) * UNIT_BYTES;
  }

  /** This log holds so many bytes now. */
  hold(bytes: number): void {
    Atomics.store(this.#cells, this.#cellOf(HELD), Math.ceil(bytes / UNIT_BYTES));
  }

  /** This log had to refuse so much, and others may have what could go for it; 0: no more. */
  want(bytes: number): void {
    Atomics.store(this.#cells, this.#cellOf(WANTED), Math.ceil(bytes / UNIT_BYTES));
  }

  /** Whether this log may make room now: two at a time would both remove what one of them has to. */
  takeTurn(): boolean {
    return Atomics.compareExchange(this.#cells, TURN, 0, this.#own + 1) === 0;
  }

  /** Nothing where the turn is another log's. */
  endTurn(): void {
    Atomics.compareExchange(this.#cells, TURN, this.#own + 1, 0);
  }

  #cellOf(kind: number): number {
    return FIRST_CELL + CELLS * this.#own + kind;
  }
}
