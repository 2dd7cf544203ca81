// References in a tree → their values. A value that is nothing but one reference takes the YAML type of what it stands
// for and keeps the text beside it; a reference inside a longer text stays text. Scalars that were substituted are
// never expanded again, so that a password may hold a `$`.

import type { ConfigNode, ListNode, MapEntry, MapNode, Path, ScalarNode } from './node.ts';
import { parseText } from './parse.ts';
import { type Fault, fault } from './problem.ts';
import { join, type Part, parseReferences, type Resolved, resolve, type Surroundings } from './reference.ts';

export interface Substituted {
  readonly root: ConfigNode;
  readonly faults: readonly Fault[];
}

/** A fragment may name fragments; beyond this they name each other in a circle. */
const maxFragmentDepth = 8;

export function substitute(root: ConfigNode, around: Surroundings): Substituted {
  const faults: Fault[] = [];
  return { root: expand(root, [], { around, faults, depth: 0 }), faults };
}

interface Context {
  readonly around: Surroundings;
  readonly faults: Fault[];
  readonly depth: number;
}

function expand(node: ConfigNode, path: Path, context: Context): ConfigNode {
  if (node.kind === 'map') return expandMap(node, path, context);
  if (node.kind === 'list') {
    return { ...node, items: node.items.map((item, index) => expand(item, [...path, index], context)) };
  }
  if (typeof node.value !== 'string' || !node.value.includes('$')) return node;
  return expandText(node, node.value, path, context);
}

function expandMap(node: MapNode, path: Path, context: Context): MapNode {
  const entries = new Map<string, MapEntry>();
  for (const [key, entry] of node.entries) {
    entries.set(key, { keyAt: entry.keyAt, node: expand(entry.node, [...path, key], context) });
  }
  return { ...node, entries };
}

function expandText(node: ScalarNode, text: string, path: Path, context: Context): ConfigNode {
  const fail = (reason: string): ConfigNode => {
    context.faults.push(fault(node.at, path, reason));
    return { kind: 'scalar', value: null, origin: 'failed', at: node.at };
  };
  const parts = parseReferences(text);
  if (!parts.ok) return fail(parts.reason);
  const only = onlyReference(parts.value);
  if (only !== undefined) {
    const resolved = resolve(only, context.around);
    return resolved.ok ? typed(resolved.value, node, path, context, fail) : fail(resolved.reason);
  }
  const joined = join(parts.value, context.around);
  if (!joined.ok) return fail(joined.reason);
  const isLiteral = parts.value.every((part) => typeof part === 'string');
  return { ...node, value: joined.value, origin: isLiteral ? node.origin : 'substituted' };
}

function onlyReference(parts: readonly Part[]): readonly Part[] | undefined {
  const [first] = parts;
  return parts.length === 1 && typeof first === 'object' ? first.parts : undefined;
}

/** As the Collector types it: what YAML reads as a text, or cannot read, is the text as it stands. */
function typed(
  resolved: Resolved,
  node: ScalarNode,
  path: Path,
  context: Context,
  fail: (reason: string) => ConfigNode,
): ConfigNode {
  const { text, file } = resolved;
  const verbatim: ScalarNode = {
    kind: 'scalar',
    value: text,
    origin: 'substituted',
    verbatim: text,
    at: node.at,
  };
  const { root, faults } = parseText(
    text,
    file === undefined ? { file: '', at: node.at, path } : { file, path },
  );
  // A file of YAML is configuration, and its mistakes are told; of any other text it is only a guess that it is YAML.
  if (faults.length > 0 && file !== undefined && /\.ya?ml$/i.test(file)) {
    context.faults.push(...faults);
    return { ...verbatim, value: null, origin: 'failed' };
  }
  if (faults.length > 0) return verbatim;
  if (root === undefined) return { ...verbatim, value: null };
  if (root.kind === 'scalar')
    return typeof root.value === 'string' ? verbatim : { ...verbatim, value: root.value };
  if (context.depth === maxFragmentDepth)
    return fail('fragments that name each other in a circle, or nest too deeply');
  const inner = expand(asSubstituted(root), path, { ...context, depth: context.depth + 1 });
  return { ...(inner as MapNode | ListNode), verbatim: text };
}

function asSubstituted(node: ConfigNode): ConfigNode {
  if (node.kind === 'scalar') return { ...node, origin: node.origin === 'failed' ? 'failed' : 'substituted' };
  if (node.kind === 'list') return { ...node, items: node.items.map(asSubstituted) };
  const entries = new Map<string, MapEntry>();
  for (const [key, entry] of node.entries)
    entries.set(key, { keyAt: entry.keyAt, node: asSubstituted(entry.node) });
  return { ...node, entries };
}
