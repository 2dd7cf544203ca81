// The tables of schema.ts made ready for reading JSON: from the bytes of a key to its field without a string.
// Invariant: a key finds its field by its exact bytes or not at all; names in snake_case are unknown, as OTLP/JSON has it.

import { type Field, type Kind, type Message, wireTypeOf } from '../schema.ts';

/** A power of two well above the fields of any message, so that nearly every key is found at its first place. */
const SLOTS = 64;
const LAST_SLOT = SLOTS - 1;

/** One field, its message resolved and everything precomputed that reading it takes. */
export class PlanField {
  readonly field: Field;
  /** The key as UTF-8; all names are ASCII. */
  readonly key: Uint8Array;
  /** Tag of the field as it is written: repeated scalars are packed, as proto3 does. */
  readonly tag: number;
  readonly kind: Kind;
  readonly packed: boolean;
  /** Bit of the field among those of its message. */
  readonly bit: number;
  /** The bits of itself and of those that share its oneof. */
  readonly excludes: number;
  /** The message within; set once all plans exist, because messages are recursive. */
  message: PlanMessage | undefined;
  /** Bytes that the length took when the field was last written: the guess for the next time. */
  lengthWidth = 1;

  constructor(field: Field, excludes: number) {
    const wireType = wireTypeOf(field.kind);
    this.field = field;
    this.kind = field.kind;
    this.key = Buffer.from(field.jsonName);
    this.packed = field.repeated && wireType !== 2;
    this.tag = field.number * 8 + (this.packed ? 2 : wireType);
    this.bit = 1 << field.number;
    this.excludes = excludes;
  }
}

export class PlanMessage {
  readonly #slots = new Array<PlanField | undefined>(SLOTS).fill(undefined);

  constructor(fields: readonly PlanField[]) {
    for (const field of fields) {
      let slot = slotOf(field.key, 0, field.key.length);
      while (this.#slots[slot] !== undefined) slot = (slot + 1) & LAST_SLOT;
      this.#slots[slot] = field;
    }
  }

  /** The field whose key stands in [start, stop). */
  find(bytes: Uint8Array, start: number, stop: number): PlanField | undefined {
    if (start === stop) return undefined;
    for (let slot = slotOf(bytes, start, stop); ; slot = (slot + 1) & LAST_SLOT) {
      const field = this.#slots[slot];
      if (field === undefined || isKey(field.key, bytes, start, stop)) return field;
    }
  }
}

function slotOf(bytes: Uint8Array, start: number, stop: number): number {
  return ((stop - start) * 11 + bytes[start]! * 5 + bytes[stop - 1]! * 3) & LAST_SLOT;
}

function isKey(key: Uint8Array, bytes: Uint8Array, start: number, stop: number): boolean {
  if (key.length !== stop - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}

/** The plan of a message and of all within it. Made anew for every reader: the guesses of lengths are its own. */
export function planOf(root: Message): PlanMessage {
  const plans = new Map<Message, PlanMessage>();
  const fields: PlanField[] = [];
  const pending = [root];
  for (let message = pending.pop(); message; message = pending.pop()) {
    if (plans.has(message)) continue;
    const own = [...message.fields.values()].map((field) => new PlanField(field, excludesOf(message, field)));
    plans.set(message, new PlanMessage(own));
    fields.push(...own);
    for (const { field } of own) if (field.message) pending.push(field.message);
  }
  for (const each of fields) if (each.field.message) each.message = plans.get(each.field.message);
  return plans.get(root)!;
}

function excludesOf(message: Message, field: Field): number {
  let bits = 1 << field.number;
  if (field.oneof === undefined) return bits;
  for (const other of message.fields.values()) if (other.oneof === field.oneof) bits |= 1 << other.number;
  return bits;
}
