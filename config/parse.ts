// One YAML text → one tree with positions. Whatever the text holds, the work is bounded: by the text's size, by the
// depth of nesting, and by the number of nodes once aliases are followed.

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { ConfigNode, MapEntry, Path, Position, ScalarNode } from './node.ts';
import { type Fault, fault } from './problem.ts';

/** As much as a Kubernetes ConfigMap holds. */
export const maxTextBytes = 1024 * 1024;
export const maxDepth = 64;
const maxNodes = 100_000;
/** Per text: beyond this a text is not a configuration with mistakes but something else. */
const maxErrors = 100;

export interface ParsedText {
  /** Undefined when the text is no YAML, or has no content. With a root, the faults leave the rest of it usable. */
  readonly root: ConfigNode | undefined;
  readonly faults: readonly Fault[];
}

export interface ParseOptions {
  readonly file: string;
  /** Where the text's own root sits in the whole configuration. */
  readonly path?: Path;
  /** For text without lines of its own (--set, the environment): every position is this one. */
  readonly at?: Position;
}

export function parseText(text: string, options: ParseOptions): ParsedText {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    if (options.at !== undefined) return options.at;
    const { line, col } = lines.linePos(Math.max(0, offset));
    return { file: options.file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const path = options.path ?? [];
  if (Buffer.byteLength(text) > maxTextBytes) {
    return { root: undefined, faults: [fault(at(0), path, `larger than ${maxTextBytes} bytes`)] };
  }
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false, // Found by the reader below, which can say where the first one is.
    logLevel: 'error', // 'silent' would hide a second document.
    merge: true,
  });
  const exhausted = document.errors.find((error) => error.code === 'RESOURCE_EXHAUSTION');
  const errors = exhausted === undefined ? [...document.errors, ...document.warnings] : [exhausted];
  if (errors.length > 0) {
    const found = errors
      .slice(0, maxErrors)
      .map((error) => fault(at(error.pos[0]), path, `YAML: ${withoutSource(error)}`));
    return { root: undefined, faults: found };
  }
  return new Reader(at, path).read(document);
}

/** The library quotes the text that it stumbled over; that text may be a secret, so it is cut off. */
function withoutSource(error: YAMLError): string {
  if (error.code === 'RESOURCE_EXHAUSTION') return `nested deeper than ${maxDepth} levels`;
  if (error.code === 'BAD_DIRECTIVE') return 'a YAML directive that means nothing here';
  if (error.code === 'MULTIPLE_DOCS') return 'a second document; a file holds one';
  if (error.code === 'BAD_DQ_ESCAPE') return 'invalid escape sequence in a double-quoted text';
  const text = error.message.replace(/(?<=\S): .*$/s, '');
  if (error.code === 'TAG_RESOLVE_FAILED') return `${text} (a text that begins with ! stands in quotes)`;
  return text;
}

class Reader {
  readonly #at: (offset: number) => Position;
  readonly #path: Path;
  readonly #faults: Fault[] = [];
  readonly #open = new Set<unknown>();
  readonly #anchors = new Map<string, unknown>();
  /** More than 0 while the content of an alias is read: its anchors were met before, and may be others by now. */
  #aliases = 0;
  #nodes = 0;
  #stopped = false;

  constructor(at: (offset: number) => Position, path: Path) {
    this.#at = at;
    this.#path = path;
  }

  read({ contents }: Document.Parsed): ParsedText {
    const root = contents === null ? undefined : this.#node(contents, this.#path, 0);
    return { root: this.#stopped ? undefined : root, faults: this.#faults };
  }

  #node(source: unknown, path: Path, offset: number): ConfigNode {
    const start = startOf(source) ?? offset;
    const at = this.#at(start);
    const empty: ScalarNode = { kind: 'scalar', value: null, origin: 'literal', at };
    if (!this.#mayGoOn(source, path, at)) return { ...empty, origin: 'failed' };
    this.#remember(source);
    if (isScalar(source)) return this.#scalar(source, path, at);
    if (!isMap(source) && !isSeq(source) && !isAlias(source)) return empty;
    this.#open.add(source);
    let node: ConfigNode;
    if (isAlias(source)) node = this.#alias(source, path, at, start);
    else if (isMap(source)) node = this.#map(source, path, at, start);
    else node = { kind: 'list', items: this.#items(source, path, start), at };
    this.#open.delete(source);
    return node;
  }

  #remember(source: unknown): void {
    if (this.#aliases > 0 || !(isScalar(source) || isMap(source) || isSeq(source))) return;
    if (source.anchor !== undefined) this.#anchors.set(source.anchor, source);
  }

  #mayGoOn(source: unknown, path: Path, at: Position): boolean {
    if (this.#stopped) return false;
    this.#nodes++;
    if (this.#nodes > maxNodes)
      return this.#stop(at, path, `more than ${maxNodes} values once aliases are followed`);
    if (path.length - this.#path.length > maxDepth)
      return this.#stop(at, path, `nested deeper than ${maxDepth} levels`);
    if (this.#open.has(source)) return this.#stop(at, path, 'an alias to what it is itself a part of');
    return true;
  }

  #stop(at: Position, path: Path, message: string): false {
    this.#stopped = true;
    this.#faults.push(fault(at, path.slice(0, 8), message));
    return false;
  }

  #scalar(source: Scalar, path: Path, at: Position): ScalarNode {
    const { value } = source;
    if (
      typeof value === 'string' ||
      typeof value === 'number' ||
      typeof value === 'boolean' ||
      value === null
    ) {
      return { kind: 'scalar', value, origin: 'literal', at };
    }
    if (typeof value === 'symbol' || value === undefined) {
      return { kind: 'scalar', value: source.source ?? null, origin: 'literal', at };
    }
    this.#faults.push(fault(at, path, 'a value of this YAML type has no meaning here'));
    return { kind: 'scalar', value: null, origin: 'failed', at };
  }

  #alias(source: Alias, path: Path, at: Position, offset: number): ConfigNode {
    const target = this.#anchors.get(source.source);
    if (target === undefined) {
      this.#faults.push(
        fault(at, path, 'an alias to nothing before it (a text that begins with * stands in quotes)'),
      );
      return { kind: 'scalar', value: null, origin: 'failed', at };
    }
    this.#aliases++;
    const node = this.#node(target, path, offset);
    this.#aliases--;
    return node;
  }

  #items(source: YAMLSeq, path: Path, offset: number): ConfigNode[] {
    return source.items.map((item, index) => this.#node(item, [...path, index], offset));
  }

  #map(source: YAMLMap, path: Path, at: Position, offset: number): ConfigNode {
    const entries = new Map<string, MapEntry>();
    const merged: ConfigNode[] = [];
    for (const pair of source.items) {
      if (this.#stopped) break;
      const keyOffset = startOf(pair.key) ?? offset;
      const keyAt = this.#at(keyOffset);
      const key = keyOf(pair);
      if (key === undefined || key === '__proto__') {
        this.#faults.push(
          fault(keyAt, path, key === undefined ? 'a key must be a plain word' : 'not a key to use'),
        );
        continue;
      }
      const isMerge = key === '<<' && isScalar(pair.key) && typeof pair.key.value === 'symbol';
      const node = this.#node(pair.value, isMerge ? path : [...path, key], keyOffset);
      if (isMerge) {
        merged.push(...this.#mergeSources(node, path));
        continue;
      }
      const first = entries.get(key);
      if (first !== undefined) {
        const where = first.keyAt.line === 0 ? '' : `; the first is in line ${first.keyAt.line}`;
        this.#faults.push(fault(keyAt, [...path, key], `duplicate key${where}`));
        continue;
      }
      entries.set(key, { keyAt, node });
    }
    for (const node of merged) {
      if (node.kind !== 'map') continue;
      for (const [key, entry] of node.entries) if (!entries.has(key)) entries.set(key, entry);
    }
    return { kind: 'map', entries, at };
  }

  /** What `<<:` may name: a map, or a list of maps of which the earlier win. */
  #mergeSources(node: ConfigNode, path: Path): readonly ConfigNode[] {
    const sources = node.kind === 'list' ? node.items : [node];
    for (const item of sources) {
      if (item.kind === 'map' || this.#stopped) continue;
      this.#faults.push(fault(item.at, path, 'only maps can be merged with <<'));
    }
    return sources;
  }
}

function keyOf(pair: Pair): string | undefined {
  const { key } = pair;
  if (!isScalar(key)) return undefined;
  if (typeof key.value === 'string') return key.value;
  if (key.value === null) return undefined;
  return key.source ?? String(key.value);
}

function startOf(node: unknown): number | undefined {
  if (!isScalar(node) && !isMap(node) && !isSeq(node) && !isAlias(node)) return undefined;
  return node.range?.[0];
}
