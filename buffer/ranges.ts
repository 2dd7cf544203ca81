// The offsets of a shard that hold no entry: `lost` ones were promised and are damaged, `failed` ones never became
// durable, so nobody was promised anything. Invariant: ranges are sorted and do not overlap, so every count is exact.

export type RangeKind = 'lost' | 'failed';

export interface OffsetRange {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly kind: RangeKind;
}

export class Ranges {
  #ranges: OffsetRange[];

  constructor(ranges: readonly OffsetRange[] = []) {
    this.#ranges = [...ranges].sort((a, b) => a.from - b.from);
  }

  get list(): readonly OffsetRange[] {
    return this.#ranges;
  }

  /** Adds what is not covered yet; returns how many offsets that was. */
  add(from: number, to: number, kind: RangeKind): number {
    let added = 0;
    let at = from;
    const fresh: OffsetRange[] = [];
    for (const range of this.#ranges) {
      if (range.to <= at) continue;
      if (range.from >= to) break;
      if (range.from > at) fresh.push({ from: at, to: range.from, kind });
      at = Math.max(at, range.to);
    }
    if (at < to) fresh.push({ from: at, to, kind });
    for (const range of fresh) added += range.to - range.from;
    if (added > 0) this.#merge(fresh);
    return added;
  }

  /** Offsets of that kind within [from, to). */
  count(from: number, to: number, kind?: RangeKind): number {
    let count = 0;
    for (const range of this.#ranges) {
      if (range.from >= to) break;
      if (kind === undefined || range.kind === kind) {
        count += Math.max(0, Math.min(range.to, to) - Math.max(range.from, from));
      }
    }
    return count;
  }

  /** The range that holds `offset`, if any. */
  at(offset: number): OffsetRange | undefined {
    if (this.#ranges.length === 0) return undefined;
    return this.#ranges.find((range) => range.from <= offset && offset < range.to);
  }

  /** Forgets everything below `offset`. */
  trim(offset: number): void {
    this.#ranges = this.#ranges
      .filter((range) => range.to > offset)
      .map((range) => (range.from < offset ? { ...range, from: offset } : range));
  }

  #merge(fresh: readonly OffsetRange[]): void {
    const sorted = [...this.#ranges, ...fresh].sort((a, b) => a.from - b.from);
    this.#ranges = [];
    for (const range of sorted) {
      const last = this.#ranges[this.#ranges.length - 1];
      if (last && last.to === range.from && last.kind === range.kind) {
        this.#ranges[this.#ranges.length - 1] = { ...last, to: range.to };
      } else {
        this.#ranges.push(range);
      }
    }
  }
}
