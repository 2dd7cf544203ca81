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
    const first = this.#firstEndingAbove(from);
    const fresh: OffsetRange[] = [];
    let at = from;
    let behind = first;
    for (; at < to && behind < this.#ranges.length; behind++) {
      const range = this.#ranges[behind]!;
      if (range.from >= to) break;
      if (range.from > at) fresh.push({ from: at, to: range.from, kind });
      fresh.push(range);
      at = Math.max(at, range.to);
    }
    if (at < to) fresh.push({ from: at, to, kind });
    const before = this.#sum(first, behind);
    // One neighbour on either side, to grow together with.
    const left = Math.max(0, first - 1);
    const right = Math.min(this.#ranges.length, behind + 1);
    const joined = joinNeighbours([
      ...this.#ranges.slice(left, first),
      ...fresh,
      ...this.#ranges.slice(behind, right),
    ]);
    this.#ranges.splice(left, right - left, ...joined);
    return fresh.reduce((sum, range) => sum + range.to - range.from, 0) - before;
  }

  /** Offsets of that kind within [from, to). */
  count(from: number, to: number, kind?: RangeKind): number {
    let count = 0;
    for (let index = this.#firstEndingAbove(from); index < this.#ranges.length; index++) {
      const range = this.#ranges[index]!;
      if (range.from >= to) break;
      if (kind === undefined || range.kind === kind) {
        count += Math.max(0, Math.min(range.to, to) - Math.max(range.from, from));
      }
    }
    return count;
  }

  /** The range that holds `offset`, if any. */
  at(offset: number): OffsetRange | undefined {
    const range = this.#ranges[this.#firstEndingAbove(offset)];
    return range && range.from <= offset ? range : undefined;
  }

  /** Forgets everything below `offset`. */
  trim(offset: number): void {
    this.#ranges = this.#ranges
      .filter((range) => range.to > offset)
      .map((range) => (range.from < offset ? { ...range, from: offset } : range));
  }

  /** Index of the first range that ends above `offset`: readers ask for every frame, so it is found by halving. */
  #firstEndingAbove(offset: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]!.to > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #sum(first: number, behind: number): number {
    let sum = 0;
    for (let index = first; index < behind; index++)
      sum += this.#ranges[index]!.to - this.#ranges[index]!.from;
    return sum;
  }
}

function joinNeighbours(sorted: readonly OffsetRange[]): OffsetRange[] {
  const joined: OffsetRange[] = [];
  for (const range of sorted) {
    const last = joined[joined.length - 1];
    if (last && last.to === range.from && last.kind === range.kind) {
      joined[joined.length - 1] = { ...last, to: range.to };
    } else {
      joined.push(range);
    }
  }
  return joined;
}
