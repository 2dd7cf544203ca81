// Counts the spans or log records of a request while its bytes come, in whatever pieces: nothing is joined, nothing is made per
// item. Invariant: it counts every item of a well-formed request once and throws on any other, so a wrong count cannot be.

/** ExportRequest.resource_* = 1, Resource*.scope_* = 2, Scope*.items = 2. */
const PATH = [1, 2, 2] as const;
const ITEM_DEPTH = PATH.length - 1;

const VARINT = 0;
const FIXED64 = 1;
const LEN = 2;
const FIXED32 = 5;

const CONTINUES = 0x80;
/** The factor of a varint's tenth byte, its last. */
const SCALE_MAX = 2 ** 63;

/** One request at a time. */
export class ItemCounter {
  #items = 0;
  /** How many bytes of the request have come. */
  #position = 0;
  /** Where the content ends that is passed over. */
  #behind = 0;
  #depth = 0;
  /** Where the message of each depth ends. */
  readonly #ends = [Number.POSITIVE_INFINITY, 0, 0];
  /** The varint that is being read: what is there of it, and the factor of its next byte. */
  #value = 0;
  #scale = 1;
  /** Of the field whose length or value is read next; 0: a tag is. */
  #tag = 0;

  /** The next bytes of the request: [from, to) of `bytes`. @throws Error where they are no such request */
  add(bytes: Uint8Array, from: number, to: number): void {
    const shift = from - this.#position;
    const end = to - shift;
    let at = this.#position;
    for (;;) {
      if (this.#behind > at) at = Math.min(this.#behind, end);
      if (at >= end) break;
      if (this.#tag === 0 && this.#scale === 1) this.#leave(at);
      const byte = bytes[at + shift]!;
      at += 1;
      this.#value += (byte % CONTINUES) * this.#scale;
      if (byte >= CONTINUES) {
        if (this.#scale >= SCALE_MAX) throw malformed('a varint is too long', at);
        this.#scale *= CONTINUES;
        continue;
      }
      const value = this.#value;
      this.#value = 0;
      this.#scale = 1;
      if (this.#tag === 0) this.#enter(value, at);
      else this.#pass(value, at);
    }
    this.#position = end;
  }

  /** How many items the request held, all of which has come. @throws Error where it ends too early */
  end(): number {
    const at = this.#position;
    this.#leave(at);
    const whole = this.#depth === 0 && this.#tag === 0 && this.#scale === 1 && this.#behind <= at;
    if (!whole) throw malformed('it ends too early', at);
    const items = this.#items;
    this.#items = 0;
    this.#position = 0;
    this.#behind = 0;
    return items;
  }

  /** Leaves the messages that end here. */
  #leave(at: number): void {
    while (at >= this.#ends[this.#depth]!) this.#depth -= 1;
  }

  /** A tag was read: what has no length is passed over. */
  #enter(tag: number, at: number): void {
    const wireType = tag % 8;
    if (tag < 8) throw malformed('a field has no number', at);
    if (wireType === FIXED64) this.#skip(8, at);
    else if (wireType === FIXED32) this.#skip(4, at);
    else if (wireType === LEN || wireType === VARINT) this.#tag = tag;
    else throw malformed('a field is of no type that OTLP has', at);
  }

  /** What follows the tag was read: the value of the field, or its length. */
  #pass(value: number, at: number): void {
    const tag = this.#tag;
    this.#tag = 0;
    if (tag % 8 === VARINT) {
      if (at > this.#ends[this.#depth]!) throw malformed('a field is longer than its message', at);
      return;
    }
    const isOnPath = (tag - LEN) / 8 === PATH[this.#depth];
    if (isOnPath && this.#depth < ITEM_DEPTH) {
      if (at + value > this.#ends[this.#depth]!) throw malformed('a message is longer than its parent', at);
      this.#depth += 1;
      this.#ends[this.#depth] = at + value;
      return;
    }
    if (isOnPath) this.#items += 1;
    this.#skip(value, at);
  }

  #skip(bytes: number, at: number): void {
    this.#behind = at + bytes;
    if (this.#behind > this.#ends[this.#depth]!) throw malformed('a field is longer than its message', at);
  }
}

function malformed(reason: string, at: number): Error {
  return new Error(`not a request of OTLP: ${reason}, at byte ${at}`);
}
