// The tree that a configuration is between its text and its validation: plain values, each knowing where it was
// written and whether it may be shown. Nodes are never changed; whoever changes something makes new ones.

export interface Position {
  /** A file's path as it was given, or `--set #n`. */
  readonly file: string;
  /** From 1; 0 where there are no lines, as with --set. */
  readonly line: number;
  /** From 1, in UTF-16 units; 0 where there are no lines. */
  readonly column: number;
}

/**
 * `literal` stands in the file. `substituted` came from the environment or a file and is never shown. `failed` could
 * not be had; that is a problem of its own already, and whatever follows from it is not told again.
 */
export type Origin = 'literal' | 'substituted' | 'failed';

export type ScalarValue = string | number | boolean | null;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: ScalarValue;
  readonly origin: Origin;
  /** What was substituted, verbatim: `0123` is a number, unless a text is wanted. */
  readonly verbatim?: string;
  readonly at: Position;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
  readonly verbatim?: string;
  readonly at: Position;
}

export interface MapEntry {
  readonly keyAt: Position;
  readonly node: ConfigNode;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly verbatim?: string;
  readonly at: Position;
}

export type ConfigNode = ScalarNode | ListNode | MapNode;

export type Path = readonly (string | number)[];

/** The node at `path`, if there is one. */
export function nodeAt(root: ConfigNode, path: Path): ConfigNode | undefined {
  let node: ConfigNode | undefined = root;
  for (const key of path) {
    if (node === undefined) return undefined;
    node = childOf(node, key);
  }
  return node;
}

export function childOf(node: ConfigNode, key: string | number): ConfigNode | undefined {
  if (node.kind === 'map') return node.entries.get(String(key))?.node;
  if (node.kind === 'list') return node.items[Number(key)];
  return undefined;
}

/** Where the key at the end of `path` stands, or the nearest thing above it that stands anywhere. */
export function positionOf(root: ConfigNode, path: Path): Position {
  let node = root;
  let at = root.at;
  for (const key of path) {
    const child = childOf(node, key);
    if (child === undefined) return at;
    at = (node.kind === 'map' ? node.entries.get(String(key))?.keyAt : undefined) ?? child.at;
    node = child;
  }
  return at;
}

/** `a.b[0].c`; keys that would not read back are quoted: `headers["x.y"]`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[^\s."[\]\p{C}]+$/u.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
}
