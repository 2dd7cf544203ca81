// The text of one file or pipe, whole or not at all, and never more than a configuration can have. Why it could not be
// had is an answer, not an exception.

import { closeSync, openSync, readSync } from 'node:fs';
import { maxTextBytes } from './parse.ts';
import { type Parsed, parsed, unparsed } from './parsed.ts';

const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['EACCES', 'may not be read: permission denied'],
  ['EPERM', 'may not be read: permission denied'],
  ['EISDIR', 'is a folder'],
]);

export function readTextFile(path: string): Parsed<string> {
  let fd: number | undefined;
  try {
    if (path.includes('\0')) return unparsed('has a NUL in its name');
    fd = openSync(path, 'r');
    const bytes = Buffer.allocUnsafe(maxTextBytes + 1);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(fd, bytes, length, bytes.length - length, null);
      if (read === 0) break;
      length += read;
    }
    if (length > maxTextBytes) return unparsed(`is larger than ${maxTextBytes} bytes`);
    return parsed(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length)));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return unparsed('is not UTF-8');
    return unparsed(reasons.get(code) ?? `cannot be read (${code})`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
