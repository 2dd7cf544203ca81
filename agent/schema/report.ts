// Gathers what the parts of the configuration find, so that everything wrong is told at once.

import type * as z from 'zod';
import { nearest } from '../../config/nearest.ts';
import { formatPath, type Path } from '../../config/node.ts';
import { inOrder, type Problem, type ProblemDetails } from '../../config/problem.ts';
import { type LoadedSource, problemAt } from '../../config/source.ts';
import { type Result, validateAt } from '../../config/validate.ts';

export class Report {
  readonly source: LoadedSource;
  readonly notes: string[] = [];
  readonly #problems: Problem[] = [];

  constructor(source: LoadedSource) {
    this.source = source;
  }

  error(path: Path, message: string, details: ProblemDetails = {}): void {
    this.#problems.push(problemAt(this.source, path, message, { ...details, severity: 'error' }));
  }

  warn(path: Path, message: string, details: ProblemDetails = {}): void {
    this.#problems.push(problemAt(this.source, path, message, { ...details, severity: 'warning' }));
  }

  /** What was found is none of what is known: says which is nearest, or which there are. */
  unknown(path: Path, message: string, found: string, known: readonly string[]): void {
    const suggestion = nearest(found, known);
    const expected = known.length > 0 ? `one of ${known.join(', ')}` : undefined;
    this.error(path, message, suggestion ? { suggestion } : { expected });
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }

  /** The value at `path`, or undefined with its problems gathered. */
  read<T>(path: Path, schema: z.ZodType<T>): T | undefined {
    const result: Result<T> = validateAt(this.source, path, schema);
    this.#problems.push(...result.warnings);
    if (result.ok) return result.value;
    this.#problems.push(...result.problems);
    return undefined;
  }

  problems(): Problem[] {
    return inOrder(this.#problems);
  }

  /** Whether anything at `path` or below it is wrong, so that what follows from that need not be said again. */
  failedAt(path: Path): boolean {
    const at = formatPath(path);
    return this.#problems.some(
      (problem) => problem.severity === 'error' && (problem.path === at || problem.path.startsWith(`${at}.`)),
    );
  }

  failed(): boolean {
    return this.#problems.some((problem) => problem.severity === 'error');
  }
}
