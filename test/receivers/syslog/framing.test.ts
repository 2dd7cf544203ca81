import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Framer, type FramerOptions } from '../../../receivers/syslog/framing.ts';

const random = { seed: 6587, numRuns: 300 };
const defaults: FramerOptions = { framing: undefined, mayCount: true, max_bytes: 64 };

interface Run {
  readonly messages: string[];
  readonly framer: Framer;
}

/** The messages of a stream that comes in these chunks and then ends; those that were cut end in …. */
function run(chunks: readonly string[], options: Partial<FramerOptions> = {}): Run {
  const messages: string[] = [];
  const framer = new Framer({ ...defaults, ...options }, (bytes, start, stop, isText, isCut) => {
    expect(isText).toBe(true);
    messages.push(bytes.toString('utf8', start, stop) + (isCut ? '…' : ''));
  });
  for (const chunk of chunks) framer.push(Buffer.from(chunk));
  framer.end();
  expect(framer.held_bytes).toBe(0);
  return { messages, framer };
}

const counted = (...texts: readonly string[]) => texts.map((text) => `${text.length} ${text}`).join('');

describe('Framer', () => {
  it.each([
    ['octets', counted('<1>a', '<2>b\nc', '<3>d')],
    ['octets', counted('\ufeff<1>a').replace(/^\d+/, '7')],
    ['lf', '<1>a\n<2>b\r\n\n<3>d'],
    ['lf', '12 is no count\n'],
    ['lf', '2021-03-04T05:06:07Z host app: text\n'],
    ['lf', '123456789 <1>a\n'],
    ['lf', '<1>a\n<2>b\0<3>c\n'],
    ['nul', '<1>a\0<2>b\0'],
    ['nul', '<1>a\n  at b\0<2>b\0'],
  ])('finds out %s', (framing, stream) => expect(run([stream]).framer.framing).toBe(framing));

  it('gives the same messages however the stream is cut to pieces', () => {
    // Long enough that the first piece tells the framing of streams that several could be of.
    const text = fc.string({
      unit: fc.constantFrom('a', 'ü', ' ', '7', '<', '\t'),
      minLength: 1,
      maxLength: 40,
    });
    const line = text.map((each) => `<1>${each}.`);
    const stream = fc.oneof(
      fc.array(line).map((lines) => ({ lines, bytes: lines.map((each) => `${each}\n`).join('') })),
      fc.array(line).map((lines) => ({ lines, bytes: lines.map((each) => `${each}\0`).join('') })),
      fc.array(line).map((lines) => ({
        lines,
        bytes: lines.map((each) => `${Buffer.byteLength(each)} ${each}`).join(''),
      })),
    );
    fc.assert(
      fc.property(
        stream,
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        ({ lines, bytes }, sizes) => {
          const all = Buffer.from(bytes);
          const messages: string[] = [];
          const framer = new Framer({ ...defaults, max_bytes: 1000 }, (data, start, stop) => {
            messages.push(data.toString('utf8', start, stop));
          });
          for (let at = 0, index = 0; at < all.length; index += 1) {
            const size = sizes[index % sizes.length]!;
            // Whoever pushes uses its memory again.
            const chunk = Buffer.from(all.subarray(at, at + size));
            framer.push(chunk);
            chunk.fill('!');
            at += size;
          }
          framer.end();
          expect(messages).toEqual(lines);
        },
      ),
      random,
    );
  });

  it('cuts a line at the limit, marks it, and goes on behind it', () => {
    const long = 'x'.repeat(200);
    for (const chunks of [[`<1>${long}\n<2>b\n`], [`<1>${long}`, long, `${long}\n<2>`, 'b\n']]) {
      expect(run(chunks).messages).toEqual([`<1>${long.slice(0, 61)}…`, '<2>b']);
    }
    expect(run([`${'y'.repeat(64)}\n`]).messages).toEqual(['y'.repeat(64)]);
  });

  it('cuts a counted message at the limit, marks it, and goes on behind it', () => {
    const long = `<1>${'x'.repeat(200)}`;
    const stream = counted(long, '<2>b');
    for (const size of [1, 7, 1000]) {
      const chunks = stream.match(new RegExp(`[^]{1,${size}}`, 'g'))!;
      expect(run(chunks).messages).toEqual([`${long.slice(0, 64)}…`, '<2>b']);
    }
  });

  it('takes lines between counted messages for messages', () => {
    expect(run([`${counted('<1>a')}\nstray\n${counted('<2>b')}`]).messages).toEqual([
      '<1>a',
      'stray',
      '<2>b',
    ]);
    const long = 'z'.repeat(100);
    expect(run([counted('<1>a'), long, long, `\n${counted('<2>b')}`]).messages).toEqual([
      '<1>a',
      `${long.slice(0, 64)}…`,
      '<2>b',
    ]);
  });

  it('takes what has no end for a message when the stream ends', () => {
    expect(run(['<1>a\n<2>b']).messages).toEqual(['<1>a', '<2>b']);
    expect(run(['<1>a']).messages).toEqual(['<1>a']);
    expect(run(['10 <1>a']).messages).toEqual(['<1>a…']);
    expect(run(['12']).messages).toEqual(['12']);
    expect(run([]).messages).toEqual([]);
  });

  it('does as it is told', () => {
    expect(run(['4 <1>a\n'], { mayCount: false }).messages).toEqual(['4 <1>a']);
    expect(run(['<1>a\nb\0<2>c\0'], { framing: 'nul' }).messages).toEqual(['<1>a\nb', '<2>c']);
    expect(run(['<1>a\0b\n<2>c\n'], { framing: 'lf' }).messages).toEqual(['<1>a\0b', '<2>c']);
    expect(run(['3 abc3 def'], { framing: 'octets' }).messages).toEqual(['abc', 'def']);
  });

  it('holds no more than one message of the limit, whatever comes', () => {
    for (const chunk of ['x', '1', '9999999 ', '\u0000', '12345678901234567890']) {
      const framer = new Framer(defaults, () => {});
      for (let each = 0; each < 1000; each += 1) {
        framer.push(Buffer.from(chunk));
        expect(framer.held_bytes).toBeLessThanOrEqual(defaults.max_bytes + 10);
      }
    }
  });

  it('says of what is known to be UTF-8 that it is', () => {
    const known: boolean[] = [];
    const framer = new Framer(defaults, (_bytes, _start, _stop, isText) => known.push(isText));
    framer.push(Buffer.from('<1>grüße\n'));
    framer.push(Buffer.from('<1>gr\xfc\xdfe\n', 'latin1'));
    expect(known).toEqual([true, false]);
  });
});
