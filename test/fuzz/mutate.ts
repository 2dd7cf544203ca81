// Makes wrong inputs out of right ones: bits, bytes, numbers and pieces. Invariant: bounded in size, and the same random
// numbers make the same input.

import type { SeededRandom } from '../sim/random.ts';
import type { Parser } from './parser.ts';

const MUTATIONS_MAX = 4;
const INPUT_MAX_BYTES = 4 * 1024;
const PIECE_MAX_BYTES = 64;
/** Where counting goes wrong: at the ends of what a field can hold. */
const NUMBERS = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x3fff, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000, 0x1fffff, 0x7fffffff,
  0x80000000, 0xfffffffe, 0xffffffff,
];

type Mutation = (input: Buffer, random: SeededRandom, parser: Parser) => Buffer;

const mutations: readonly Mutation[] = [
  function flipBit(input, random) {
    const copy = Buffer.from(input);
    const at = random.integer(copy.length);
    if (copy.length > 0) copy[at] = copy[at]! ^ (1 << random.integer(8));
    return copy;
  },
  function setByte(input, random) {
    const copy = Buffer.from(input);
    if (copy.length > 0)
      copy[random.integer(copy.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.integer(256)]);
    return copy;
  },
  function setNumber(input, random) {
    const copy = Buffer.from(input);
    const bytes = random.pick([1, 2, 4]);
    if (copy.length < bytes) return copy;
    const value = random.pick(NUMBERS) % 2 ** (8 * bytes);
    copy.writeUIntLE(value, random.integer(copy.length - bytes + 1), bytes);
    return copy;
  },
  function setVarint(input, random) {
    const at = random.integer(input.length + 1);
    const varint = varintOf(random.pick(NUMBERS));
    return Buffer.concat([input.subarray(0, at), varint, input.subarray(at + random.integer(3))]);
  },
  function cut(input, random) {
    return input.subarray(0, random.integer(input.length + 1));
  },
  function remove(input, random) {
    const [from, to] = piece(input, random);
    return Buffer.concat([input.subarray(0, from), input.subarray(to)]);
  },
  function duplicate(input, random) {
    const [from, to] = piece(input, random);
    const at = random.integer(input.length + 1);
    return Buffer.concat([input.subarray(0, at), input.subarray(from, to), input.subarray(at)]);
  },
  function insert(input, random) {
    const at = random.integer(input.length + 1);
    const bytes = Buffer.from(Array.from({ length: 1 + random.integer(12) }, () => random.integer(256)));
    return Buffer.concat([input.subarray(0, at), bytes, input.subarray(at)]);
  },
  function splice(input, random, parser) {
    const other = random.pick(parser.seeds);
    const at = random.integer(input.length + 1);
    return Buffer.concat([input.subarray(0, at), other.subarray(random.integer(other.length + 1))]);
  },
];

export function mutated(parser: Parser, random: SeededRandom): Buffer {
  const limit = parser.inputMax_bytes ?? INPUT_MAX_BYTES;
  let input = random.pick(parser.seeds);
  for (let left = random.between(1, MUTATIONS_MAX); left > 0; left--) {
    input = once(parser, input, random).subarray(0, limit);
  }
  return Buffer.from(input);
}

function once(parser: Parser, input: Buffer, random: SeededRandom): Buffer {
  if (parser.mutate && random.chance(0.5)) return parser.mutate(input, random);
  if (parser.words && random.chance(0.5)) return withWord(input, random, parser.words);
  return random.pick(mutations)(input, random, parser);
}

function withWord(input: Buffer, random: SeededRandom, words: readonly string[]): Buffer {
  const at = random.integer(input.length + 1);
  const behind = at + random.pick([0, 0, 1, random.integer(PIECE_MAX_BYTES)]);
  return Buffer.concat([input.subarray(0, at), Buffer.from(random.pick(words)), input.subarray(behind)]);
}

function piece(input: Buffer, random: SeededRandom): [from: number, to: number] {
  const from = random.integer(input.length + 1);
  const long = random.chance(0.1) ? input.length : PIECE_MAX_BYTES;
  return [from, Math.min(input.length, from + random.integer(long + 1))];
}

function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}
