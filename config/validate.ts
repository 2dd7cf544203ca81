// A loaded tree, or a part of it, and a schema → the typed, frozen value, or all that is wrong with it at once.

import type * as z from 'zod';
import { describeIssue, leavesOf, type Place } from './describe.ts';
import { deepFreeze } from './freeze.ts';
import { type ConfigNode, childOf, nodeAt, type Path } from './node.ts';
import { type Problem, problem } from './problem.ts';
import { childrenOf, metaOf, schemasAt } from './schema.ts';
import type { LoadedSource } from './source.ts';

export type Result<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/**
 * What stands at `path` against a schema of its own, such as a component's body; `[]` is the whole configuration. A body that is empty or absent counts
 * as `{}`. Positions and paths in the problems are those of the whole configuration.
 */
export function validateAt<T>(source: LoadedSource, path: Path, schema: z.ZodType<T>): Result<T> {
  const node = nodeAt(source.root, path);
  const place: Place = { root: source.root, base: path, schema };
  const faults = source.faults.filter((fault) => isPrefix(path, fault.path) || isPrefix(fault.path, path));
  const warnings = node === undefined ? [] : deprecations(node, [schema], path);
  const outcome = parseWithReadings(node, schema);
  if (outcome.success && faults.length === 0) {
    return { ok: true, value: deepFreeze(outcome.data), warnings };
  }
  const problems = faults.map((fault) => fault.problem);
  if (!outcome.success) {
    for (const issue of outcome.error.issues) {
      // What could not be had is told already; what follows from it is not told again.
      const isFollowUp = leavesOf(issue, []).every((leaf) => isFailed(node, leaf.path));
      if (!isFollowUp) problems.push(...describeIssue(issue, place));
    }
  }
  return { ok: false, problems, warnings };
}

/**
 * How a node is handed to the schema where it is not taken as YAML reads it. `verbatim`: what was substituted as text,
 * so that a password `0123` stays four digits. `absent`: `key:` without a value means the default, as in the Collector.
 */
type Reading = 'verbatim' | 'absent';
type Readings = ReadonlyMap<string, Reading>;

/** More is not needed by any schema that can be written down: each round settles one level of the tree. */
const maxRounds = 8;

/** A configuration is read once: code generated for each of its objects costs more than it saves, 16 ms of a start. */
const interpreted = { jitless: true };

/** The schema is asked first as YAML reads the values; only where it says no is the other reading tried. */
function parseWithReadings<T>(node: ConfigNode | undefined, schema: z.ZodType<T>): z.ZodSafeParseResult<T> {
  const readings = new Map<string, Reading>();
  const untried = new Map<string, Reading[]>();
  const parse = (by: Readings): z.ZodSafeParseResult<T> =>
    schema.safeParse(valueAt(node, [], by) ?? {}, interpreted);
  let outcome = parse(readings);
  for (let round = 0; round < maxRounds && !outcome.success && node !== undefined; round++) {
    const proposed = new Map<string, Reading>();
    for (const path of placesOf(outcome)) {
      const name = JSON.stringify(path);
      if (proposed.has(name)) continue;
      const left = untried.get(name) ?? otherReadings(nodeAt(node, path), schemasAt(schema, path));
      const next = left.shift();
      untried.set(name, left);
      if (next !== undefined) proposed.set(name, next);
    }
    if (proposed.size === 0) break;
    const attempt = parse(new Map([...readings, ...proposed]));
    const stillWrong = new Set(placesOf(attempt).map((path) => JSON.stringify(path)));
    for (const [name, reading] of proposed) {
      // What is missing is told as missing, not as being of the wrong type.
      if (reading === 'absent' || !stillWrong.has(name)) readings.set(name, reading);
    }
    outcome = parse(readings);
  }
  return outcome;
}

function placesOf(outcome: z.ZodSafeParseResult<unknown>): Path[] {
  const issues = outcome.error?.issues ?? [];
  return issues.flatMap((issue) => [issue.path as Path, ...leavesOf(issue, []).map((leaf) => leaf.path)]);
}

function otherReadings(node: ConfigNode | undefined, schemas: readonly z.core.$ZodType[]): Reading[] {
  if (node === undefined) return [];
  // A secret that came out empty is a mistake: taken for absent, what it guards would stand open.
  const mayBeAbsent = metaOf(schemas).kind !== 'secret';
  const isText = node.kind === 'scalar' && typeof node.value === 'string';
  const isNothing = node.kind === 'scalar' && node.value === null;
  return [
    ...(node.verbatim !== undefined && !isText ? (['verbatim'] as const) : []),
    ...(isNothing && mayBeAbsent ? (['absent'] as const) : []),
  ];
}

function valueAt(node: ConfigNode | undefined, path: Path, readings: Readings): unknown {
  if (node === undefined) return undefined;
  const reading = readings.size === 0 ? undefined : readings.get(JSON.stringify(path));
  if (reading === 'verbatim') return node.verbatim;
  if (reading === 'absent') return undefined;
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map((item, index) => valueAt(item, [...path, index], readings));
  const map: Record<string, unknown> = {};
  for (const [key, entry] of node.entries) {
    const value = valueAt(entry.node, [...path, key], readings);
    if (value !== undefined) map[key] = value;
  }
  return map;
}

function deprecations(node: ConfigNode, schemas: readonly z.core.$ZodType[], path: Path): Problem[] {
  if (node.kind === 'list') {
    return node.items.flatMap((item, index) => deprecations(item, below(schemas, index), [...path, index]));
  }
  if (node.kind !== 'map') return [];
  const found: Problem[] = [];
  for (const [key, entry] of node.entries) {
    const inner = below(schemas, key);
    const instead = metaOf(inner).deprecated;
    const full = [...path, key];
    if (instead !== undefined)
      found.push(problem(entry.keyAt, full, `deprecated: ${instead}`, { severity: 'warning' }));
    found.push(...deprecations(entry.node, inner, full));
  }
  return found;
}

function below(schemas: readonly z.core.$ZodType[], key: string | number): readonly z.core.$ZodType[] {
  return schemas.flatMap((schema) => childrenOf(schema, key));
}

/** True if something on the way to `path`, or what stands there, could not be had. */
function isFailed(root: ConfigNode | undefined, path: Path): boolean {
  let node = root;
  for (const key of path) {
    if (node === undefined || node.kind === 'scalar') break;
    node = childOf(node, key);
  }
  return node?.kind === 'scalar' && node.origin === 'failed';
}

function isPrefix(prefix: Path, path: Path): boolean {
  return prefix.length <= path.length && prefix.every((key, index) => key === path[index]);
}
