// What is wrong with a configuration, said so that a person finds and mends it: where, what was expected, what was
// found, and what was probably meant. A secret has no way into it.

import { HoldfastError } from './error.ts';
import { formatPath, type Path, type Position } from './node.ts';

export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** From 1; 0 where the file has no lines (--set, or a file that cannot be read). */
  readonly line: number;
  readonly column: number;
  /** `exporters.otlp_http/cloud.endpoint`; empty for the file itself. */
  readonly path: string;
  readonly message: string;
  readonly expected?: string;
  readonly found?: string;
  /** The known key or value nearest to what was written. */
  readonly suggestion?: string;
}

/** A problem and the place in the tree where it is; what stands there may be usable all the same. */
export interface Fault {
  readonly path: Path;
  readonly problem: Problem;
}

export interface ProblemDetails {
  readonly severity?: 'error' | 'warning';
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
  readonly suggestion?: string | undefined;
}

export function problem(at: Position, path: Path, message: string, details: ProblemDetails = {}): Problem {
  return Object.freeze({
    severity: details.severity ?? 'error',
    file: at.file,
    line: at.line,
    column: at.column,
    path: formatPath(path),
    message,
    ...(details.expected === undefined ? {} : { expected: details.expected }),
    ...(details.found === undefined ? {} : { found: details.found }),
    ...(details.suggestion === undefined ? {} : { suggestion: details.suggestion }),
  });
}

export function fault(at: Position, path: Path, message: string, details: ProblemDetails = {}): Fault {
  return { path, problem: problem(at, path, message, details) };
}

/** `file.yaml:12:5: exporters.file.pth: unknown key; did you mean "path"?`, expected and found behind it. */
export function formatProblem(item: Problem): string {
  const place = item.line === 0 ? item.file : `${item.file}:${item.line}:${item.column}`;
  const head = [place, item.path, item.severity === 'warning' ? 'warning' : ''].filter((part) => part !== '');
  let text = `${head.join(': ')}: ${item.message}`;
  if (item.suggestion !== undefined) text += `; did you mean ${JSON.stringify(item.suggestion)}?`;
  const facts: string[] = [];
  if (item.expected !== undefined) facts.push(`expected ${item.expected}`);
  if (item.found !== undefined) facts.push(`found ${item.found}`);
  if (facts.length > 0) text += `${item.suggestion === undefined ? '; ' : ' '}${facts.join(', ')}`;
  return text.replace(/\p{Cc}+/gu, ' ');
}

/** One line each, in the order of the files' lines. */
export function formatProblems(problems: readonly Problem[]): string {
  return inOrder(problems).map(formatProblem).join('\n');
}

/** Each problem once, files in the order of their first problem, lines ascending. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const unique = [...new Map(problems.map((item) => [JSON.stringify(item), item])).values()];
  const files = new Map<string, number>();
  for (const item of unique) if (!files.has(item.file)) files.set(item.file, files.size);
  const rank = (item: Problem): number => files.get(item.file) ?? 0;
  return unique.sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
}

/** The configuration cannot be used. Carries everything that is wrong with it, not only the first thing. */
export class ConfigError extends HoldfastError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const ordered = inOrder(problems);
    super('HF_CONFIG_INVALID', formatProblems(ordered), false);
    this.problems = Object.freeze(ordered);
  }
}
