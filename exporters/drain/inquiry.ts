// Poison or outage? Keeps the refused entries as groups, says which group to ask next, and from the answers which entry
// is poison. Pure. Invariant: an entry is convicted only on evidence that the destination took others in between.
//
// Every member of a group has the same history, because a group was only ever asked as a whole or as part of a larger
// one; so evidence is kept per group and inherited when it is halved:
//   refusals      how often a request that held it was refused, and how often of these it was alone;
//   alternations  the same, but counting one only if something else was accepted since the one before;
//   aloneRuns     the same of those in which it was alone.

import type { Slot } from './slot.ts';

export interface Group {
  readonly slot: Slot;
  /** Entries `from` up to `to` (exclusive) of the slot. */
  readonly from: number;
  readonly to: number;
  refusals: number;
  alone: number;
  alternations: number;
  aloneRuns: number;
  /** Accepted requests at the time of the last refusal. */
  refusedAt: number;
  /** Refused as it stands: asking the same again makes sense only alone, after something else was accepted. */
  asked: boolean;
  /** The refused group that this is a half of; undefined where it was refused for its size. */
  parent: Halved | undefined;
  /** Whether the refusal of this group itself was blamed on what it holds. */
  blamed: boolean;
}

/** A refused group that was asked again in halves. */
interface Halved {
  /** Halves that were not accepted yet. */
  left: number;
  /** A half was refused too, which explains the refusal of the whole. */
  explained: boolean;
}

/** Refused, neighbour accepted, refused again: below this nobody is convicted. */
const ALTERNATIONS_MIN = 2;
/** A destination that answers errors at random needs longer to be told from poison. */
const REFUSALS_MIN = 8;
/** Of these, alone: who stands at the end of the search is there because all that held it was refused. */
const ALONE_MIN = 5;
/**
 * Something else was accepted between two of these: who shared a batch with poison was refused once already, and must not
 * be convicted by an outage that begins while it is asked alone.
 */
const ALONE_RUNS_MIN = 2;
/**
 * What each contradiction (refused, then accepted, as a whole or in all its parts) adds to the refusals asked for. Not to the alternations: those need
 * traffic, and at the end of a quiet log an entry would be held for ever.
 */
const REFUSALS_PER_FLAP = 4;
const FLAPS_MAX = 8;
/** So many requests accepted without a contradiction, and the destination is trusted again. */
const CLEAN_RUN = 100;

export class Inquiry {
  readonly #groups: Group[] = [];
  #accepted = 0;
  #flaps = 0;
  #cleanRun = 0;
  /** Nothing is accepted at all: what is refused now says nothing about the entries. */
  #held = false;

  get isEmpty(): boolean {
    return this.#groups.length === 0;
  }

  /** Entries that are not resolved. */
  get entries(): number {
    let entries = 0;
    for (const group of this.#groups) entries += sizeOf(group);
    return entries;
  }

  /** Requests that a round may spend. */
  get budget(): number {
    return 2 * Math.ceil(Math.log2(Math.max(1, this.entries))) + 8;
  }

  /** Adds the unresolved entries of a slot, later in the log than all others, as one group not asked yet. */
  add(slot: Slot): Group {
    const group: Group = {
      slot,
      from: 0,
      to: slot.entries.length,
      refusals: 0,
      alone: 0,
      alternations: 0,
      aloneRuns: 0,
      refusedAt: 0,
      asked: false,
      parent: undefined,
      blamed: false,
    };
    const later = this.#groups.findIndex((other) => other.slot.offsets[0]! > slot.offsets[0]!);
    this.#groups.splice(later < 0 ? this.#groups.length : later, 0, group);
    return group;
  }

  /** Something was accepted that is not part of the inquiry. */
  acceptedElsewhere(): void {
    this.#accepted += 1;
    this.#cleanRun += 1;
    if (this.#cleanRun >= CLEAN_RUN) this.#flaps = 0;
  }

  accepted(group: Group): void {
    if (this.#contradicts(group) && !this.#held) {
      this.#flaps = Math.min(FLAPS_MAX, this.#flaps + 1);
      this.#cleanRun = -1;
    }
    this.remove(group);
    this.acceptedElsewhere();
    if (this.#held) this.#mended();
  }

  /** Refused, then accepted; or refused as a whole, then accepted in all its parts. */
  #contradicts(group: Group): boolean {
    if (group.blamed && group.refusedAt < this.#accepted) return true;
    const { parent } = group;
    if (parent === undefined) return false;
    parent.left -= 1;
    return parent.left === 0 && !parent.explained;
  }

  /** `blame` false: the request was too large, which says nothing about what it held. */
  refused(group: Group, blame: boolean): void {
    group.asked = true;
    group.blamed = blame;
    if (group.parent !== undefined) group.parent.explained = true;
    if (!blame) return;
    const acceptedSince = group.refusedAt < this.#accepted;
    if (group.refusals === 0 || acceptedSince) group.alternations += 1;
    group.refusals += 1;
    if (sizeOf(group) === 1) {
      if (group.alone === 0 || acceptedSince) group.aloneRuns += 1;
      group.alone += 1;
    }
    group.refusedAt = this.#accepted;
  }

  isPoison(group: Group): boolean {
    if (sizeOf(group) > 1 || !group.asked || isWorthRepeating(group)) return false;
    return (
      group.alternations >= ALTERNATIONS_MIN &&
      group.aloneRuns >= ALONE_RUNS_MIN &&
      group.refusals >= REFUSALS_MIN + REFUSALS_PER_FLAP * this.#flaps
    );
  }

  remove(group: Group): void {
    this.#groups.splice(this.#groups.indexOf(group), 1);
  }

  /** Nothing is accepted: until something is, refusals are the destination's fault. */
  hold(): void {
    this.#held = true;
  }

  /** Suspects first, once something was accepted since they were refused; then depth first, left to right. */
  next(): Group | undefined {
    let leftmost: Group | undefined;
    for (const group of this.#groups) {
      const single = sizeOf(group) === 1;
      const worthIt = group.refusedAt < this.#accepted || isWorthRepeating(group);
      if (single && group.asked && worthIt && !this.#held) return group;
      if (leftmost === undefined && (!single || !group.asked)) leftmost = group;
    }
    return leftmost?.asked ? this.#halve(leftmost) : leftmost;
  }

  /** Whom to ask while the destination is held: mostly the front, at times another, in turn. */
  probe(turn: number): Group {
    const others = this.#groups.length - 1;
    const every = 3;
    const group =
      others > 0 && turn % every === 0 ? this.#groups[1 + ((turn / every) % others)]! : this.#groups[0]!;
    return group.asked && sizeOf(group) > 1 ? this.#halve(group) : group;
  }

  /** Replaces the group by its halves and returns the left one. */
  #halve(group: Group): Group {
    const middle = group.from + (sizeOf(group) >> 1);
    const parent: Halved | undefined = group.blamed ? { left: 2, explained: false } : undefined;
    const half = { ...group, asked: false, blamed: false, parent };
    const left: Group = { ...half, to: middle };
    const right: Group = { ...half, from: middle };
    this.#groups.splice(this.#groups.indexOf(group), 1, left, right);
    return left;
  }

  /** The destination takes something again: all is asked anew, and of the refusals only those count that alternated. */
  #mended(): void {
    this.#held = false;
    for (const group of this.#groups) {
      group.refusals = Math.min(group.refusals, group.alternations);
      group.alone = Math.min(group.alone, group.alternations);
      group.aloneRuns = Math.min(group.aloneRuns, 1);
      group.asked = group.asked && sizeOf(group) === 1;
      group.blamed = group.blamed && group.asked;
      group.parent = undefined;
    }
  }
}

/** Refused, something else accepted, refused again: a few more refusals at once tell chance from poison. */
function isWorthRepeating(group: Group): boolean {
  if (group.alternations < ALTERNATIONS_MIN) return false;
  return group.refusals < REFUSALS_MIN || group.alone < ALONE_MIN;
}

export function sizeOf(group: Group): number {
  return group.to - group.from;
}
