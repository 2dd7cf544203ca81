// The inner loops of crc32.ts as WebAssembly, assembled here: 16 bytes a step, which no number of JavaScript holds.
// Invariant: the code touches only the memory that it brings, and where this Node refuses it there is none, and no error.

/** Of the platform's WebAssembly API, what is used here; the DOM library that declares it is not loaded. */
declare const WebAssembly:
  | {
      readonly Module: new (code: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: unknown };
    }
  | undefined;

/** Of memory, 64 KiB each. */
const PAGES = 1;
/** What one instruction handles. */
export const WORD_BYTES = 16;
/** `fold` takes so many words a turn: the loop itself costs less then. */
export const TURN_WORDS = 4;

export interface FoldCode {
  /** 64 KiB. */
  readonly memory: Buffer;
  /**
   * From `at` up to `end`, TURN_WORDS at a time and at least once: the word `history` bytes further is XORed with the words
   * at the tapped distances behind `at`.
   */
  fold(at: number, end: number): void;
  /** XORs the words from `from` up to `end`, at least one, onto those from `onto`. */
  add(onto: number, from: number, end: number): void;
}

/** @param taps distances in words, 0 among them, all less than `history_words` */
export function foldCode(history_words: number, taps: readonly number[]): FoldCode | undefined {
  // Undefined under --jitless, for one.
  if (typeof WebAssembly === 'undefined') return undefined;
  try {
    const module = new WebAssembly.Module(assembled(history_words, taps));
    const { exports } = new WebAssembly.Instance(module);
    const { memory, fold, add } = exports as Pick<FoldCode, 'fold' | 'add'> & {
      readonly memory: { readonly buffer: ArrayBuffer };
    };
    return { memory: Buffer.from(memory.buffer), fold, add };
  } catch {
    // Its memory is reserved with gigabytes of addresses behind it, which a limit may forbid (ulimit -v).
    return undefined;
  }
}

// WebAssembly Core Specification 2.0, "Binary Format".
const I32 = 0x7f;
const FUNCTION = 0x60;
const EXPORTS_FUNCTION = 0;
const EXPORTS_MEMORY = 2;
const LOOP = [0x03, 0x40];
const END = 0x0b;
const BR_IF_LOOP = [0x0d, 0];
const GET = 0x20;
const SET = 0x21;
const TEE = 0x22;
const I32_CONST = 0x41;
const I32_ADD = 0x6a;
const I32_LT_U = 0x49;
const SIMD = 0xfd;
const V128_LOAD = 0;
const V128_STORE = 11;
const V128_XOR = 81;
const ALIGNED_16 = 4;

function assembled(history_words: number, taps: readonly number[]): Uint8Array {
  const [TYPES, FUNCTIONS, MEMORY, EXPORTS, CODE] = [1, 3, 5, 7, 10];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(TYPES, [
      [FUNCTION, 2, I32, I32, 0],
      [FUNCTION, 3, I32, I32, I32, 0],
    ]),
    ...section(FUNCTIONS, [[0], [1]]),
    ...section(MEMORY, [[1, PAGES, PAGES]]),
    ...section(EXPORTS, [
      [...text('memory'), EXPORTS_MEMORY, 0],
      [...text('fold'), EXPORTS_FUNCTION, 0],
      [...text('add'), EXPORTS_FUNCTION, 1],
    ]),
    ...section(CODE, [body(foldLoop(history_words, taps)), body(addLoop())]),
  ]);
}

function foldLoop(history_words: number, taps: readonly number[]): number[] {
  const [AT, END_AT] = [0, 1];
  const words = Array.from({ length: TURN_WORDS }, (_, word) => [
    ...[GET, AT],
    ...[GET, AT, ...simd(V128_LOAD, history_words + word)],
    ...taps.flatMap((tap) => [GET, AT, ...simd(V128_LOAD, tap + word), SIMD, ...varint(V128_XOR)]),
    ...simd(V128_STORE, history_words + word),
  ]);
  return loop([...words.flat(), ...advance(AT, TURN_WORDS * WORD_BYTES, TEE), GET, END_AT]);
}

function addLoop(): number[] {
  const [ONTO, FROM, END_AT] = [0, 1, 2];
  return loop([
    ...[GET, ONTO],
    ...[GET, ONTO, ...simd(V128_LOAD, 0), GET, FROM, ...simd(V128_LOAD, 0), SIMD, ...varint(V128_XOR)],
    ...simd(V128_STORE, 0),
    ...advance(ONTO, WORD_BYTES, SET),
    ...advance(FROM, WORD_BYTES, TEE),
    ...[GET, END_AT],
  ]);
}

/** Again while the first of the two numbers that `instructions` leave is less than the second. */
function loop(instructions: readonly number[]): number[] {
  return [...LOOP, ...instructions, I32_LT_U, ...BR_IF_LOOP, END];
}

function advance(local: number, bytes: number, store: number): number[] {
  return [GET, local, I32_CONST, ...signedVarint(bytes), I32_ADD, store, local];
}

function simd(instruction: number, word: number): number[] {
  return [SIMD, ...varint(instruction), ALIGNED_16, ...varint(word * WORD_BYTES)];
}

function body(instructions: readonly number[]): number[] {
  const code = [0, ...instructions, END];
  return [...varint(code.length), ...code];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = [...varint(items.length), ...items.flat()];
  return [id, ...varint(content.length), ...content];
}

function text(name: string): number[] {
  return [name.length, ...Buffer.from(name, 'latin1')];
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** Of a number that is not negative: its last byte must not look like a sign. */
function signedVarint(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signedVarint(value >>> 7)];
}
