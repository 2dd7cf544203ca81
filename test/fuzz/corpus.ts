// Inputs that once went wrong, here or elsewhere, one file each: `.txt` is the input itself, `.hex` its bytes with white space
// and comments behind `#`. Invariant: what is written is read back as it was.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';

const root = fileURLToPath(new URL('corpus/', import.meta.url));
const HEX_LINE_BYTES = 32;

export function readCorpus(parser: string): Buffer[] {
  const directory = path.join(root, parser);
  if (!fs.existsSync(directory)) return [];
  return fs
    .readdirSync(directory)
    .sort()
    .map((name) => inputOf(name, fs.readFileSync(path.join(directory, name))));
}

/** @throws Error for a file that is neither */
export function inputOf(name: string, content: Buffer): Buffer {
  if (name.endsWith('.txt')) return content;
  const digits = content.toString('latin1').replace(/#.*$/gm, '').replace(/\s/g, '');
  if (!name.endsWith('.hex') || !/^(?:[0-9a-f]{2})*$/i.test(digits)) throw new Error(`${name} is no input`);
  return Buffer.from(digits, 'hex');
}

/** @returns where it was put. */
export function keep(parser: string, input: Uint8Array, why: string): string {
  const directory = path.join(root, parser);
  fs.mkdirSync(directory, { recursive: true });
  const file = path.join(directory, `found-${crc32(input).toString(16).padStart(8, '0')}.hex`);
  const hex = Buffer.from(input).toString('hex');
  const lines = hex.match(new RegExp(`.{1,${2 * HEX_LINE_BYTES}}`, 'g')) ?? [];
  const first = why.split('\n', 1)[0]!.replace(/[^\x20-\x7e]/g, '?');
  fs.writeFileSync(file, `# ${first}\n${lines.join('\n')}\n`);
  return file;
}
