// CRC-32 as zlib has it, at two to three times the speed for what is large: this Node's own goes by tables, byte for byte of all
// that is stored and read. Invariant: the same number as zlib.crc32 for all bytes and all beginnings.
//
// A checksum is the remainder of the bytes, as a polynomial over GF(2), by one of degree 32. That one has a sparse multiple:
// x^300 + x^155 + x^117 + x^89 + 1. Squared seven times it says the same of words of 128 bits: a word may be taken out if it
// is XORed onto the words 145, 183, 211 and 300 further on (300 less each exponent), and the remainder stays. So all but the
// last 300 words go in one pass of XORs, which need neither tables nor multiplications, and zlib has the rest. The
// idea is that of Chorba (Russell, 2024, arXiv:2412.16398).

import { crc32 as zlibCrc32 } from 'node:zlib';
import { foldCode, TURN_WORDS, WORD_BYTES } from './crc32_fold.ts';

/** Exponents of the sparse multiple: how far behind the word that is taken out its addends stand. */
const HISTORY_WORDS = 300;
const TAPS_WORDS = [0, 89, 117, 155];
const HISTORY_BYTES = HISTORY_WORDS * WORD_BYTES;
const TURN_BYTES = TURN_WORDS * WORD_BYTES;
/** What is copied in at a time: memory that stays in the first cache. */
const WINDOW_BYTES = 24 * 1024;
/** Below this the last 300 words are most of it. */
const FOLDED_BYTES_MIN = 12 * 1024;
/** The register begins inverted, and ends so. */
const INVERTED = 0xffffffff;

const code = foldCode(HISTORY_WORDS, TAPS_WORDS);

/** @param value of the bytes before these. @returns unsigned 32 bits (RFC 1952, section 8) */
export function crc32(bytes: Uint8Array, value = 0): number {
  if (!code || bytes.length < FOLDED_BYTES_MIN) return zlibCrc32(bytes, value);
  const { memory, fold, add } = code;
  memory.fill(0, 0, HISTORY_BYTES);
  const folded_bytes = bytes.length - HISTORY_BYTES - ((bytes.length - HISTORY_BYTES) % TURN_BYTES);
  let window_bytes = 0;
  for (let at = 0; at < folded_bytes; at += window_bytes) {
    // The words before those of this window are its history.
    if (at > 0) memory.copyWithin(0, window_bytes, window_bytes + HISTORY_BYTES);
    window_bytes = Math.min(WINDOW_BYTES, folded_bytes - at);
    memory.set(bytes.subarray(at, at + window_bytes), HISTORY_BYTES);
    if (at === 0) invertStart(memory, value);
    fold(0, window_bytes);
  }
  const left = HISTORY_BYTES + window_bytes;
  const end = left + bytes.length - folded_bytes;
  memory.set(bytes.subarray(folded_bytes), left);
  // What stands before `left` is taken out now, and still owed to what comes behind it.
  for (const tap of TAPS_WORDS) add(left, left - HISTORY_BYTES + tap * WORD_BYTES, left);
  return zlibCrc32(memory.subarray(left, end), INVERTED);
}

/** The first four bytes take up what the register holds, so that it may begin empty. */
function invertStart(memory: Uint8Array, value: number): void {
  const register = ~value;
  for (let index = 0; index < 4; index++) memory[HISTORY_BYTES + index]! ^= register >>> (8 * index);
}
