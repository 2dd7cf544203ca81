// buffer/names.ts: what may become part of a path.

import path from 'node:path';
import { InvalidName } from '../../../buffer/errors.ts';
import { checkStreamName, segmentBase, segmentName } from '../../../buffer/names.ts';
import { type Parser, promise, refusedAs } from '../parser.ts';

export const streamNameParser: Parser = {
  name: 'stream_name',
  promise:
    'what is taken for a name is one file name below its directory, on any file system (CVE-2025-12972)',
  seeds: ['traces', 'logs.syslog.edge-1', 'a'.repeat(64), 'dead-letter.otlp_http'].map((text) =>
    Buffer.from(text),
  ),
  words: [
    '.',
    '..',
    '/',
    '\\',
    '\0',
    '%2e',
    ' ',
    'A',
    'é',
    '~',
    '$',
    'lock',
    'owner',
    'owner.new',
    'lock-journal',
    '\u2024',
  ],
  check(input) {
    const name = input.toString('utf8');
    const base = segmentBase(name);
    promise(base === undefined || segmentName(base) === name, 'a segment has one name');
    try {
      checkStreamName(name);
    } catch (error) {
      return refusedAs(error, InvalidName);
    }
    promise(path.basename(path.join('/log', name)) === name, 'a path of more than one part');
    promise(path.dirname(path.join('/log', name)) === '/log', 'a path that leads elsewhere');
    promise(
      /^[\x21-\x7e]{1,200}$/.test(name) && name === name.toLowerCase(),
      'a name that not every disk can hold',
    );
    promise(!['lock', 'owner', 'owner.new', 'lock-journal'].includes(name), "a name of the log's own");
    return 'accepted';
  },
};
