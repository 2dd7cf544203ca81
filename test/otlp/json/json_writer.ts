// Writes the JSON of a request as differently as the rules allow without changing what it says: order and spelling of
// keys, white space, escapes, forms of numbers and bytes, nulls, unknown fields, keys that come twice.
// Invariant: the same seed writes the same text.

import type protobuf from 'protobufjs';

/** mulberry32: any good mix will do. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const unknownValues = ['null', 'true', '0.5e-7', '"\\ud83d\\ude00\\n"', '[]', '{"a":[{"b":[-1,"]}"]},{}]}'];

export class JsonWriter {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** @param value what protobufjs takes for a message of `type` */
  message(type: protobuf.Type, value: Record<string, unknown>): string {
    const members: string[] = [];
    for (const [name, each] of this.#shuffled(Object.entries(value))) {
      const field = type.fields[name]!.resolve();
      // What stands first does not count, so it may be anything that the field can hold.
      if (this.#one(12))
        members.push(this.#member(name, this.#one(2) ? 'null' : this.#fieldText(field, each)));
      members.push(this.#member(name, this.#fieldText(field, each)));
      if (this.#one(10)) members.push(this.#unknown());
    }
    for (const field of type.fieldsArray) {
      if (!(field.name in value) && this.#one(10)) members.push(this.#member(field.name, 'null'));
    }
    if (this.#one(10)) members.unshift(this.#unknown());
    return `{${members.join(this.#space(','))}${this.#space('')}}`;
  }

  #member(name: string, text: string): string {
    return `${this.#space('')}${this.string(name)}${this.#space(':')}${text}`;
  }

  #unknown(): string {
    // A name in snake_case is one that OTLP/JSON does not know.
    const name = this.#pick(['later', 'trace_id', 'resource_spans', '', '__proto__', 'Name', 'nam', 'names']);
    return this.#member(name, this.#pick(unknownValues));
  }

  #fieldText(field: protobuf.Field, value: unknown): string {
    if (!field.repeated) return this.#value(field, value);
    const elements = (value as unknown[]).map((each) => this.#value(field, each));
    return `[${elements.join(this.#space(','))}${this.#space('')}]`;
  }

  #value(field: protobuf.Field, value: unknown): string {
    const type = field.resolvedType;
    if (type && 'fields' in type) return this.message(type, value as Record<string, unknown>);
    if (type) return String(value);
    switch (field.type) {
      case 'string':
        return this.string(value as string);
      case 'bytes':
        return this.string(this.#bytes(field.name, value as Buffer));
      case 'bool':
        return String(value);
      case 'double':
        return this.#double(value as number);
      default:
        return this.#integer(BigInt(value as string | number));
    }
  }

  /** A string with some of its characters as escapes. */
  string(text: string): string {
    let written = '"';
    // By code point: half a pair as an escape and half of it plain would be another text.
    for (const character of text) {
      if (this.#one(8))
        for (let i = 0; i < character.length; i++) written += this.#escape(character.charCodeAt(i));
      else written += JSON.stringify(character).slice(1, -1);
    }
    return `${written}"`.replace(/\//g, () => (this.#one(2) ? '\\/' : '/'));
  }

  #escape(unit: number): string {
    const hex = unit.toString(16).padStart(4, '0');
    return `\\u${this.#one(2) ? hex.toUpperCase() : hex}`;
  }

  #bytes(name: string, value: Buffer): string {
    if (/^(traceId|spanId|parentSpanId)$/.test(name)) {
      const hex = value.toString('hex');
      return this.#one(2) ? hex.toUpperCase() : hex;
    }
    const text = value.toString(this.#one(2) ? 'base64' : 'base64url');
    return this.#one(2) ? text.replace(/=+$/, '') : text;
  }

  #double(value: number): string {
    if (!Number.isFinite(value)) return `"${value}"`;
    const forms = [Object.is(value, -0) ? '-0' : String(value), value.toExponential(), value.toPrecision(17)];
    return this.#quoted(this.#pick(forms).replace('e+', this.#pick(['e+', 'E', 'e'])));
  }

  #integer(value: bigint): string {
    const text = String(value);
    const forms = [
      text,
      `${text}.0`,
      `${text}e0`,
      `${text}0E-1`,
      text.replace(
        /^-?(\d)(\d+)$/,
        (all, first, rest) => `${all.startsWith('-') ? '-' : ''}${first}.${rest}e+${rest.length}`,
      ),
    ];
    return this.#quoted(this.#one(2) ? text : this.#pick(forms));
  }

  #quoted(text: string): string {
    return this.#one(2) ? this.string(text) : text;
  }

  #space(around: string): string {
    const some = (): string => (this.#one(6) ? this.#pick([' ', '\n', '\t', '\r\n  ']) : '');
    return `${some()}${around}${some()}`;
  }

  #one(of: number): boolean {
    return this.#random() * of < 1;
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!;
  }

  #shuffled<T>(list: T[]): T[] {
    const ordered = list.map((each) => [this.#random(), each] as const);
    return ordered.sort((a, b) => a[0] - b[0]).map(([, each]) => each);
  }
}
