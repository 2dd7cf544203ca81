// REPORT.md, assembled from what the programs found: each writes its chapter as JSON into report/, and the page is made of
// the chapters anew. Invariant: nothing on the page was typed by hand, and a program replaces no chapter but its own.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface ReportTable {
  readonly caption?: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** What one program has to say. */
export interface ReportChapter {
  readonly title: string;
  /** How to get these figures again. */
  readonly command: string;
  /** Of the code that ran; `+` behind it: with changes that were not committed. */
  readonly commit: string;
  /** When it ended, ISO 8601. */
  readonly date: string;
  /** Paragraphs in front of the tables. */
  readonly text: readonly string[];
  readonly tables: readonly ReportTable[];
}

const HERE = import.meta.dirname;
const CHAPTERS = path.join(HERE, 'report');
export const REPORT_PATH = path.join(HERE, 'REPORT.md');
/** Chapters in the order of reading; others follow by name. */
const ORDER = ['soak', 'exhaustive', 'planted', 'crash', 'fuzz'];

/** Replaces one chapter (`name`.json) and makes the page anew. */
export function writeChapter(name: string, chapter: ReportChapter): void {
  mkdirSync(CHAPTERS, { recursive: true });
  replace(path.join(CHAPTERS, `${name}.json`), `${JSON.stringify(chapter, null, 2)}\n`);
  writeReport();
}

export function writeReport(): void {
  replace(REPORT_PATH, renderReport(readChapters()));
}

/** By name, in the order of reading. */
export function readChapters(): Map<string, ReportChapter> {
  const names = readdirSync(CHAPTERS)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  return new Map(
    names.map((name) => [name, JSON.parse(readFileSync(path.join(CHAPTERS, `${name}.json`), 'utf8'))]),
  );
}

export function renderReport(chapters: ReadonlyMap<string, ReportChapter>): string {
  const parts = [
    '# What was tried, and what came of it\n',
    'Made by `npm run sim:report` from the files in [report/](report/), which the programs named below write. How it works: [README](README.md).\n',
  ];
  for (const chapter of chapters.values()) {
    parts.push(
      `## ${chapter.title}\n`,
      `\`${chapter.command}\`, ${chapter.date}, commit ${chapter.commit}.\n`,
    );
    parts.push(...chapter.text.map((paragraph) => `${paragraph}\n`), ...chapter.tables.map(table));
  }
  return parts.join('\n');
}

/** The commit that is checked out, with a `+` where files that git knows differ from it. */
export function commitOfTheCode(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: HERE, encoding: 'utf8' });
    const changed = git('status', '--porcelain', '--untracked-files=no')
      .split('\n')
      .some((line) => line !== '' && !/test\/sim\/(report\/|REPORT\.md)/.test(line));
    return `${git('rev-parse', '--short=12', 'HEAD').trim()}${changed ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}

/** Digits in groups of three: figures of ten million are read by people. */
export function grouped(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

function rank(name: string): number {
  const at = ORDER.indexOf(name);
  return at === -1 ? ORDER.length : at;
}

function table({ caption, columns, rows }: ReportTable): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.map(cell).join(' | ')} |`;
  const body = [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
  return `${caption === undefined ? '' : `${caption}\n\n`}${body}\n`;
}

function cell(value: string | number): string {
  return typeof value === 'number' ? grouped(value) : value.replace(/\|/g, '\\|').replace(/\s+/g, ' ');
}

/** Whoever reads meanwhile finds the old file or the new one, whole. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

if (import.meta.main) writeReport();
