// Which values of a record a route picks, as a tree over keys. Invariant: a key is found by its exact bytes or not at all.

import { type AttributeKey, attributeKey } from '../../otlp/log_record.ts';
import type { RouteConfig } from './config.ts';

/** Index of a pick; those of resource attributes follow. */
export const pick = {
  body: 0,
  time: 1,
  severity: 2,
  traceId: 3,
  spanId: 4,
  traceFlags: 5,
  resource: 6,
} as const;

export class PickNode {
  readonly children: { readonly key: Buffer; readonly node: PickNode }[] = [];
  /** The picks that end here. */
  readonly targets: number[] = [];

  /** What stands under the key in [start, stop), if anything of it is picked. */
  find(bytes: Buffer, start: number, stop: number): PickNode | undefined {
    // A handful at most, so a list beats a map.
    for (const { key, node } of this.children) {
      if (key.length === stop - start && isSame(key, bytes, start)) return node;
    }
    return undefined;
  }

  /** Adds a pick under a path of keys. */
  add(path: readonly string[], target: number): void {
    const [first, ...rest] = path;
    if (first === undefined) {
      this.targets.push(target);
      return;
    }
    const key = Buffer.from(first);
    let child = this.children.find((each) => each.key.equals(key));
    if (!child) {
      child = { key, node: new PickNode() };
      this.children.push(child);
    }
    child.node.add(rest, target);
  }
}

/** A call into native code costs more than the few bytes of a key. */
function isSame(key: Buffer, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}

export interface Picks {
  readonly root: PickNode;
  /** How many there are, resource attributes among them. */
  readonly count: number;
  /** Whether the body is picked: then what is left of a record becomes attributes. */
  readonly body: boolean;
  /** Keys of the picks from `pick.resource` on. */
  readonly resource: readonly AttributeKey[];
}

export function picksOf(route: RouteConfig): Picks {
  const root = new PickNode();
  const single: readonly [readonly string[] | undefined, number][] = [
    [route.body, pick.body],
    [route.timestamp?.path, pick.time],
    [route.severity?.path, pick.severity],
    [route.trace_id, pick.traceId],
    [route.span_id, pick.spanId],
    [route.trace_flags, pick.traceFlags],
  ];
  for (const [path, target] of single) if (path) root.add(path, target);
  const resource = Object.entries(route.resource_attributes);
  for (const [index, [, path]] of resource.entries()) root.add(path, pick.resource + index);
  return {
    root,
    count: pick.resource + resource.length,
    body: route.body !== undefined,
    resource: resource.map(([name]) => attributeKey(name)),
  };
}
