// One `--set a.b=c` → a tree that holds only that key. With `::` between the keys they may hold dots, as in the
// Collector. The value is YAML: `--set service.pipelines.traces.exporters=[a, b]`.

import type { ConfigNode, Position } from './node.ts';
import { maxDepth, type ParsedText, parseText } from './parse.ts';
import { fault } from './problem.ts';

/** `number` counts the --set options from 1; it is what positions say. */
export function parseOverride(text: string, number: number): ParsedText {
  const at: Position = { file: `--set #${number}`, line: 0, column: 0 };
  const fail = (message: string): ParsedText => ({
    root: undefined,
    faults: [fault(at, [], message, { expected: 'key.of.it=value, or key::of::it=value' })],
  });
  const equals = text.indexOf('=');
  if (equals === -1) return fail('the = is missing');
  const left = text.slice(0, equals).trim();
  const keys = left.split(left.includes('::') ? '::' : '.');
  if (keys.some((key) => key === '')) return fail('a key is empty');
  if (keys.includes('__proto__')) return fail('not a key to use');
  if (keys.length > maxDepth) return fail(`nested deeper than ${maxDepth} levels`);
  const { root, faults } = parseText(text.slice(equals + 1), { file: at.file, at, path: keys });
  if (root === undefined && faults.length > 0) return { root: undefined, faults };
  let node: ConfigNode = root ?? { kind: 'scalar', value: null, origin: 'literal', at };
  for (const key of keys.toReversed())
    node = { kind: 'map', entries: new Map([[key, { keyAt: at, node }]]), at };
  return { root: node, faults };
}
