// zod's issues → the words of a problem. Nothing that the schema calls opaque, and nothing substituted, is repeated.

import type * as z from 'zod';
import { nearest } from './nearest.ts';
import { type ConfigNode, nodeAt, type Path, positionOf, type ScalarNode } from './node.ts';
import { type Problem, problem } from './problem.ts';
import { expectationsOf, isOpaque, knownKeys, metaOf, schemasAt } from './schema.ts';

export interface Place {
  /** The whole tree, for positions. */
  readonly root: ConfigNode;
  /** Where in it the validated part begins. */
  readonly base: Path;
  readonly schema: z.core.$ZodType;
}

type Issue = z.core.$ZodIssue;

const shownLength = 60;
const shownKeys = 12;

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
  tuple: 'a list',
  null: 'nothing',
};

/** One issue → the problems that it stands for, at their places. */
export function describeIssue(issue: Issue, place: Place): readonly Problem[] {
  return leavesOf(issue, []).flatMap((leaf) => describeLeaf(leaf.issue, leaf.path, place));
}

export interface Leaf {
  readonly issue: Issue;
  readonly path: Path;
}

/** Of the ways in which a union could have been meant, the one that got furthest says what is wrong. */
export function leavesOf(issue: Issue, above: Path): readonly Leaf[] {
  const path = [...above, ...(issue.path as Path)];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ issue, path }];
  let best: readonly Leaf[] = [];
  for (const branch of issue.errors) {
    const leaves = branch.flatMap((inner) => leavesOf(inner, path));
    const isInside =
      leaves.length > 0 && leaves.every((leaf) => leaf.path.length > path.length || isAboutKeys(leaf.issue));
    if (isInside && (best.length === 0 || leaves.length < best.length)) best = leaves;
  }
  return best.length > 0 ? best : [{ issue, path }];
}

function isAboutKeys(issue: Issue): boolean {
  return issue.code === 'unrecognized_keys';
}

function describeLeaf(issue: Issue, path: Path, place: Place): readonly Problem[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path, place));
  const full = [...place.base, ...path];
  const at = positionOf(place.root, full);
  const schemas = schemasAt(place.schema, path);
  const node = nodeAt(place.root, full);
  const expected = expectedAt(schemas, issue);
  if (node === undefined || isNothing(node)) {
    if (issue.code === 'custom') return [problem(at, full, issue.message)];
    return [problem(at, full, 'required, but missing', { expected, ...(node && { found: 'nothing' }) })];
  }
  const opaque = isOpaque(schemas);
  const found = describeNode(node, opaque);
  const isShown = !opaque && node.kind === 'scalar' && node.origin === 'literal';
  const options = issue.code === 'invalid_value' ? issue.values.map(String) : discriminatorsOf(issue);
  const suggestion = isShown ? nearest(String(node.value), options) : undefined;
  const isQuotable = isUnquoted(node) && wantsText(issue, schemas, node);
  const message = isQuotable ? 'wrong type; put it in quotes' : messageOf(issue);
  return [problem(at, full, message, { expected, found, ...(!isQuotable && { suggestion }) })];
}

function unknownKey(key: string, path: Path, place: Place): Problem {
  const full = [...place.base, ...path, key];
  const known = knownKeys(schemasAt(place.schema, path));
  const map = nodeAt(place.root, full.slice(0, -1));
  const written = new Set(map?.kind === 'map' ? map.entries.keys() : []);
  const suggestion = nearest(
    key,
    known.filter((candidate) => !written.has(candidate)),
  );
  return problem(positionOf(place.root, full), full, 'unknown key', {
    expected: known.length === 0 ? 'no keys' : `one of ${listed(known)}`,
    found: JSON.stringify(shortened(key)),
    suggestion,
  });
}

function discriminatorsOf(issue: Issue): readonly string[] {
  if (issue.code !== 'invalid_union' || !('options' in issue) || !Array.isArray(issue.options)) return [];
  return issue.options.map(String);
}

function expectedAt(schemas: readonly z.core.$ZodType[], issue: Issue): string | undefined {
  const words = expectationsOf(schemas);
  if (words.length === 0) return expectedBy(issue);
  return [...words, ...fixedValuesOf(issue)].join(' or ');
}

/** The words that a union takes beside what its fields say of themselves: `auto`, `false`. */
function fixedValuesOf(issue: Issue): readonly string[] {
  if (issue.code !== 'invalid_union') return [];
  return issue.errors
    .flat()
    .flatMap((inner) => (inner.code === 'invalid_value' ? inner.values.map(String) : []));
}

function expectedBy(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return typeNames[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.length === 1
        ? JSON.stringify(issue.values[0])
        : `one of ${listed(issue.values.map(String))}`;
    case 'invalid_union':
      return expectedByUnion(issue);
    case 'too_small':
      return bounded(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return bounded(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.format === 'regex'
        ? `a text of the form ${issue.pattern ?? ''}`
        : `a text of the form ${issue.format}`;
    default:
      return undefined;
  }
}

function expectedByUnion(issue: z.core.$ZodIssueInvalidUnion): string | undefined {
  const options = discriminatorsOf(issue);
  if (options.length > 0) return `one of ${listed(options)}`;
  const each = issue.errors.flatMap((branch) => branch.map(expectedBy)).filter((text) => text !== undefined);
  return each.length === 0 ? undefined : [...new Set(each)].join(' or ');
}

function bounded(origin: string, comparison: string, limit: number | bigint): string {
  if (origin === 'string') return `${comparison} ${limit} characters`;
  if (origin === 'array' || origin === 'set') return `${comparison} ${limit} items`;
  if (origin === 'object' || origin === 'map' || origin === 'record') return `${comparison} ${limit} keys`;
  return `${comparison} ${limit}`;
}

function messageOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return 'wrong type';
    case 'invalid_value':
      return 'unknown value';
    case 'invalid_union':
      if (discriminatorsOf(issue).length > 0) return 'unknown value';
      return issue.errors.flat().find((inner) => inner.code === 'custom')?.message ?? 'wrong type';
    case 'too_small':
    case 'too_big':
    case 'not_multiple_of':
      return 'out of range';
    case 'invalid_key':
      return `not a key to use here: ${issue.issues[0]?.message ?? 'wrong form'}`;
    case 'invalid_format':
      // zod's own words begin so; a schema's are better than ours.
      return issue.message.startsWith('Invalid') ? 'wrong form' : issue.message;
    default:
      return issue.message;
  }
}

function isUnquoted(node: ConfigNode): node is ScalarNode {
  if (node.kind !== 'scalar' || node.origin !== 'literal') return false;
  return typeof node.value === 'number' || typeof node.value === 'boolean';
}

/** True if the same word would do as a text: `min_version: 1.3`, a password of digits. */
function wantsText(issue: Issue, schemas: readonly z.core.$ZodType[], node: ScalarNode): boolean {
  if (issue.code === 'invalid_value') return issue.values.includes(String(node.value));
  if (issue.code !== 'invalid_type' || issue.expected !== 'string') return false;
  const { kind } = metaOf(schemas);
  return kind === undefined || kind === 'secret';
}

function isNothing(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.value === null && node.origin === 'literal';
}

function describeNode(node: ConfigNode, opaque: boolean): string {
  if (node.kind === 'map') return 'a map';
  if (node.kind === 'list') return 'a list';
  const type = node.value === null ? 'nothing' : (typeNames[typeof node.value] ?? 'a value');
  if (node.origin !== 'literal') return `${type} from a reference`;
  return opaque || node.value === null ? type : literal(node);
}

function literal(node: ScalarNode): string {
  return typeof node.value === 'string' ? JSON.stringify(shortened(node.value)) : String(node.value);
}

function shortened(text: string): string {
  return text.length <= shownLength ? text : `${text.slice(0, shownLength)}…`;
}

function listed(words: readonly string[]): string {
  const shown = words.slice(0, shownKeys).map((word) => (word === '' ? '""' : word));
  return shown.join(', ') + (words.length > shownKeys ? ', …' : '');
}
