// FORMAT.md as a program: the tables of the document, and a decoder that knows nothing but them. Invariant: no format is
// taken from the source.

import fs from 'node:fs';
import path from 'node:path';
import { crc32, zstdDecompressSync } from 'node:zlib';
import { expect } from '@jest/globals';

export const document = fs.readFileSync(path.join(import.meta.dirname, '../../buffer/FORMAT.md'), 'utf8');

interface Field {
  readonly at: number;
  readonly bytes: string;
  readonly type: string;
  readonly name: string;
}

export type Values = Readonly<Record<string, number | Buffer>>;

/** The rows of the table under a heading of the document. */
export function table(heading: string): Field[] {
  const chapter = document.split(`\n### ${heading}\n`)[1]?.split(/\n##+ /)[0];
  if (chapter === undefined) throw new Error(`FORMAT.md has no chapter "${heading}"`);
  const rows = chapter.split('\n').filter((line) => /^\| \d/.test(line));
  return rows.map((line) => {
    const [, at, bytes, type, name] = line.split('|').map((cell) => cell.trim());
    return { at: Number(at), bytes: bytes!, type: type!, name: name! };
  });
}

const WIDTHS: Readonly<Record<string, number>> = { u8: 1, u16: 2, u32: 4, u48: 6, u64: 8 };

/** Decodes what stands at `at` by a table; a length may be the name of an earlier field, or `rest`: all up to the end. */
export function decode(fields: readonly Field[], source: Buffer, at = 0): Values {
  const values: Record<string, number | Buffer> = {};
  for (const field of fields) {
    const from = at + field.at;
    const named = field.bytes === 'rest' ? source.length - from : values[field.bytes];
    const length = Number(Number.isNaN(Number(field.bytes)) ? named : field.bytes);
    if (field.type === 'bytes') values[field.name] = source.subarray(from, from + length);
    else {
      expect(WIDTHS[field.type]).toBe(length);
      let value = 0;
      for (let byte = length - 1; byte >= 0; byte--) value = value * 256 + source[from + byte]!;
      values[field.name] = value;
    }
  }
  return values;
}

/** The bytes that a table without variable fields takes; it must have neither gap nor overlap. */
export function sizeOf(fields: readonly Field[]): number {
  let at = 0;
  for (const field of fields) {
    expect(field.at).toBe(at);
    at += Number.isNaN(Number(field.bytes)) ? 0 : Number(field.bytes);
  }
  return at;
}

export function varint(source: Buffer, at: number): { value: number; next: number } {
  let value = 0;
  for (let next = at, factor = 1; ; factor *= 128) {
    const byte = source[next++]!;
    value += (byte & 0x7f) * factor;
    if (byte < 128) return { value, next };
  }
}

/** The newest state of a two-slot file. */
export function newestSlot(file: Buffer): Values {
  const fields = table('Slot');
  const slots = [0, 4096].map((at) => {
    const slot = decode(fields, file, at);
    expect(crc32(slot['payload'] as Buffer, crc32(file.subarray(at, at + 16)))).toBe(slot['crc']);
    expect(Number(slot['sequence']) % 2).toBe(at / 4096);
    expect(slot['version']).toBe(1);
    return slot;
  });
  expect(file.length).toBe(8192);
  return slots.sort((a, b) => Number(b['sequence']) - Number(a['sequence']))[0]!;
}

export interface DecodedFrame {
  readonly values: Values;
  readonly packed: boolean;
  readonly entries: readonly Buffer[];
  readonly deltas: readonly number[];
}

/** All frames of a segment, every byte of it accounted for; `key` as a ledger gives it. Bytes that are no frame end it. */
export function decodeFrames(bytes: Buffer, key: Values): DecodedFrame[] {
  const header = table('Frame header');
  const keyed = (crc: number, of: string): number => (crc ^ Number(key[of])) >>> 0;
  const frames: DecodedFrame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const values = decode(header, bytes, at);
    expect(String(values['magic'])).toBe('HF');
    expect(values['version']).toBe(1);
    expect(keyed(crc32(bytes.subarray(at, at + 36)), 'headerKey')).toBe(values['headerCrc']);
    const end = at + 40 + Number(values['bodyBytes']);
    const stored = bytes.subarray(at + 40, end);
    expect(keyed(crc32(stored), 'bodyKey')).toBe(values['bodyCrc']);
    const packed = (Number(values['flags']) & 16) !== 0;
    frames.push({ values, packed, ...decodeEntries(packed ? unpacked(stored) : stored) });
    expect(frames.at(-1)!.entries.length).toBe(values['count']);
    at = end;
  }
  return frames;
}

function unpacked(stored: Buffer): Buffer {
  const { rawBytes, packed } = decode(table('Compressed frame body'), stored);
  const raw = zstdDecompressSync(packed as Buffer);
  expect(raw.length).toBe(rawBytes);
  return raw;
}

function decodeEntries(body: Buffer): { entries: Buffer[]; deltas: number[] } {
  const [entries, deltas]: [Buffer[], number[]] = [[], []];
  for (let at = 0; at < body.length; ) {
    const length = varint(body, at);
    const delta = varint(body, length.next);
    entries.push(body.subarray(delta.next, delta.next + length.value));
    deltas.push(delta.value);
    at = delta.next + length.value;
    expect(at).toBeLessThanOrEqual(body.length);
  }
  return { entries, deltas };
}
