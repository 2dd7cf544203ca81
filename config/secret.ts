// A value that cannot be printed by accident: every way in which JavaScript turns a value into text gives
// `[redacted]`. Only `reveal()` gives the value, so that the places that need it can be found by name.

import { inspect } from 'node:util';

export const redacted = '[redacted]';

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    Object.freeze(this);
  }

  /** The value itself. Call it where it is sent or compared, and keep the result nowhere. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  /** Arithmetic, concatenation and template literals ask here first. */
  [Symbol.toPrimitive](): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}
