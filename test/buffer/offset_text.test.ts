// Row "append returns offsets, text form `stream/shard-offset`, parsed back".

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidOffset } from '../../buffer/errors.ts';
import { offsetText, parseOffset } from '../../buffer/offset_text.ts';
import { openedOnMemory } from './log_on_memory.ts';

describe('offsets in text form', () => {
  it('name what append returned, and are parsed back', async () => {
    const { log, shard } = await openedOnMemory();
    shard.append([Buffer.from('a')]);
    const text = offsetText(shard, shard.append([Buffer.from('b')]));
    expect(text).toBe('s/0-1');
    expect(parseOffset(text)).toEqual({ stream: 's', shard: 0, offset: 1 });
    await log.close();
  });

  it('come back the same for every stream, shard and offset', () => {
    const part = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,8}$/);
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 4 }).filter((parts) => parts.join('.') !== 'lock'),
        fc.nat({ max: 4096 }),
        fc.maxSafeNat(),
        (parts, shard, offset) => {
          const stream = parts.join('.');
          expect(parseOffset(offsetText(`${stream}/${shard}`, offset))).toEqual({ stream, shard, offset });
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    '',
    's',
    's/',
    '/0-1',
    's/0',
    's/0-',
    's/-1',
    's/00-1',
    's/0-01',
    's/0-1 ',
    's/0--1',
    's/0-1.5',
    's/0-9007199254740992',
    '../0-1',
    'S/0-1',
    'lock/0-1',
    'a/b/0-1',
  ])('refuse %j', (text) => {
    expect(() => parseOffset(text)).toThrow(InvalidOffset);
  });

  it('accept nothing else than what they write, whatever is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('s', '/', '-', '0', '7', '.', 'x') }), (text) => {
        try {
          const { stream, shard, offset } = parseOffset(text);
          expect(offsetText(`${stream}/${shard}`, offset)).toBe(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidOffset);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
