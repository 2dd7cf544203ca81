// bench/RESULTS.md: one part for each command that measures. Invariant: a command writes its own part and leaves the others
// byte for byte as they are.

import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('RESULTS.md', import.meta.url));
/** In the order in which they stand. */
const PARTS = ['agent', 'workers', 'syslog', 'http', 'peers', 'log'] as const;
export type Part = (typeof PARTS)[number];

const INTRODUCTION = `# Results

Nothing here is typed by hand: each part is written by the command that it names. Each figure: median (minimum–maximum of the rounds).
`;
const mark = (part: Part): string => `<!-- part: ${part} -->\n`;

/** The document with one part put in or replaced. */
export function withPart(document: string, part: Part, content: string): string {
  const parts = PARTS.map((name) => {
    const own = name === part ? `\n${content.trim()}\n\n` : partOf(document, name);
    return own === undefined ? '' : mark(name) + own;
  });
  return `${[`${INTRODUCTION}\n`, ...parts].join('').trimEnd()}\n`;
}

function partOf(document: string, part: Part): string | undefined {
  const behind = document.split(mark(part))[1];
  return behind === undefined ? undefined : `${behind.split('<!-- part: ')[0]!.trimEnd()}\n\n`;
}

export function writePart(part: Part, content: string): void {
  const before = fs.existsSync(FILE) ? fs.readFileSync(FILE, 'utf8') : '';
  fs.writeFileSync(FILE, withPart(before, part, content));
  console.error('wrote its part of bench/RESULTS.md');
}
