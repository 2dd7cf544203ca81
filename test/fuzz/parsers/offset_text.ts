// buffer/offset_text.ts: `stream/shard-offset`.

import { InvalidOffset } from '../../../buffer/errors.ts';
import { offsetText, parseOffset } from '../../../buffer/offset_text.ts';
import { type Parser, promise, refusedAs } from '../parser.ts';

export const offsetTextParser: Parser = {
  name: 'offset_text',
  promise: 'one text for each offset: what is read is written again as it was',
  seeds: ['traces/0-0', 'logs.syslog/12-9007199254740991', 'a-b_c.d/999999999-1'].map((text) =>
    Buffer.from(text),
  ),
  words: [
    '/',
    '-',
    '0',
    '00',
    '9007199254740993',
    '-1',
    '+1',
    '1e3',
    '..',
    '../',
    'lock',
    'owner',
    '\0',
    '\n',
  ],
  check(input) {
    const text = input.toString('utf8');
    try {
      const { stream, shard, offset } = parseOffset(text);
      promise(offsetText(`${stream}/${shard}`, offset) === text, 'another text for the same offset');
      return 'accepted';
    } catch (error) {
      return refusedAs(error, InvalidOffset);
    }
  },
};
