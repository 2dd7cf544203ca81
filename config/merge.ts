// Several trees → one, as the Collector does it: maps deep, lists and scalars replaced by the later one. Every node
// keeps the position of the file that won.

import type { ConfigNode, MapNode } from './node.ts';

export function merge(earlier: ConfigNode, later: ConfigNode): ConfigNode {
  if (earlier.kind !== 'map' || later.kind !== 'map') return later;
  return mergeMaps(earlier, later);
}

function mergeMaps(earlier: MapNode, later: MapNode): MapNode {
  const entries = new Map(earlier.entries);
  for (const [key, entry] of later.entries) {
    const before = entries.get(key);
    if (before === undefined) {
      entries.set(key, entry);
      continue;
    }
    entries.set(key, { keyAt: entry.keyAt, node: merge(before.node, entry.node) });
  }
  return { kind: 'map', entries, at: earlier.at };
}
