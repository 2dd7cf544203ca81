// JSON that went wrong, for fuzzing: its tokens dropped, doubled and exchanged, its bytes flipped and cut.
// Invariant: the same chance gives the same mutant.

/** What stands out in JSON: a token put in the place of another leaves text that is nearly right. */
const tokens = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '""',
    '{}',
    '[]',
    'null',
    'true',
    'false',
    '0',
    '-1',
    '1e999',
    '1.5',
  ],
  ...[
    '"NaN"',
    '"-Infinity"',
    '18446744073709551616',
    '"\\ud800"',
    '"\\',
    '\\u00',
    '\u0000',
    ' ',
    '0x1',
    '//',
  ],
  ...[
    '"attributes":',
    '"kvlistValue":',
    '"values":[',
    '"value":{',
    '"traceId":"00"',
    '"name":1,',
    '"kind":"A",',
  ],
];
const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

/** From 0 to 1, 1 excluded. */
type Random = () => number;

/** One token dropped, doubled, replaced, or exchanged for another of the same text. */
export function mutateToken(text: string, random: Random): string {
  const found = [...text.matchAll(token)];
  const hit = pick(found, random);
  if (!hit) return text;
  const [own] = hit;
  const replacement = pick(['', own + own, pick(found, random)![0], ...tokens], random)!;
  return text.slice(0, hit.index) + replacement + text.slice(hit.index + own.length);
}

/** Bytes flipped, cut off, taken out or doubled, UTF-8 or not. */
function mutateBytes(bytes: Buffer, random: Random): Buffer {
  const at = Math.floor(random() * bytes.length);
  const length = Math.floor(random() * 12);
  const before = bytes.subarray(0, at);
  switch (Math.floor(random() * 4)) {
    case 0: {
      const copy = Buffer.from(bytes);
      copy[at] = Math.floor(random() * 256);
      return copy;
    }
    case 1:
      return before;
    case 2:
      return Buffer.concat([before, bytes.subarray(at + length)]);
    default:
      return Buffer.concat([before, bytes.subarray(Math.max(0, at - length))]);
  }
}

/** Text that went wrong in one way or two. */
export function mutant(text: string, random: Random): Buffer {
  const once = random() < 0.75 ? mutateToken(text, random) : text;
  if (once !== text && random() < 0.6) return Buffer.from(once);
  return random() < 0.5 ? Buffer.from(mutateToken(once, random)) : mutateBytes(Buffer.from(once), random);
}

function pick<T>(from: readonly T[], random: Random): T | undefined {
  return from[Math.floor(random() * from.length)];
}
