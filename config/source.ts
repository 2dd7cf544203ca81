// Files, --set options and the environment → one tree, ready to be validated in parts. What cannot be read as YAML is
// thrown here; duplicate keys and references that lead nowhere are kept, to be told with all that validation finds.

import { merge } from './merge.ts';
import { type MapNode, nodeAt, type Path, type Position, positionOf } from './node.ts';
import { parseOverride } from './override.ts';
import { type ParsedText, parseText } from './parse.ts';
import { type Parsed, parsed, unparsed } from './parsed.ts';
import { ConfigError, type Fault, fault, type Problem, type ProblemDetails, problem } from './problem.ts';
import type { Surroundings } from './reference.ts';
import { substitute } from './substitute.ts';
import { readTextFile } from './text_file.ts';

/** A configuration that is not in a file, such as a built-in one. */
export interface NamedText {
  /** What positions say instead of a path. */
  readonly name: string;
  readonly text: string;
}

export interface LoadOptions {
  /** In order: the later wins. A path, `file:path`, `env:NAME` (its value is the YAML), or a text. */
  readonly files: readonly (string | NamedText)[];
  /** `a.b=c`, applied after all files. */
  readonly sets?: readonly string[];
  /** Default: the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the file system, relative to the working directory as in the Collector. */
  readonly readText?: (path: string) => Parsed<string>;
}

export interface LoadedSource {
  readonly root: MapNode;
  /** Duplicate keys, references that lead nowhere and the like. `validateAt` tells those that lie in what it validates. */
  readonly faults: readonly Fault[];
}

/** @throws ConfigError with every file that cannot be read and every mistake of syntax. */
export function loadConfig(options: LoadOptions): LoadedSource {
  const env = options.env ?? process.env;
  const around: Surroundings = {
    env: (name) => (Object.hasOwn(env, name) ? env[name] : undefined),
    readText: options.readText ?? readTextFile,
  };
  const trees: ParsedText[] = [
    ...options.files.map((file) => readTree(file, around)),
    ...(options.sets ?? []).map((text, index) => parseOverride(text, index + 1)),
  ];
  const fatal = trees.filter((tree) => tree.root === undefined).flatMap((tree) => tree.faults);
  if (fatal.length > 0)
    throw new ConfigError(trees.flatMap((tree) => tree.faults).map((item) => item.problem));
  const first = options.files[0];
  const file = first === undefined ? '--set' : typeof first === 'string' ? first : first.name;
  const nothing: MapNode = { kind: 'map', entries: new Map(), at: { file, line: 0, column: 0 } };
  const roots = trees.map((tree) => tree.root).filter((root) => root !== undefined);
  const merged = roots.slice(1).reduce(merge, roots[0] ?? nothing);
  const { root, faults } = substitute(merged, around);
  // Maps merge to maps, and nothing else got this far.
  return { root: root as MapNode, faults: [...trees.flatMap((tree) => tree.faults), ...faults] };
}

function readTree(file: string | NamedText, around: Surroundings): ParsedText {
  const name = typeof file === 'string' ? file : file.name;
  const refuse = (at: Position, message: string, expected?: string): ParsedText => ({
    root: undefined,
    faults: [fault(at, [], message, { expected })],
  });
  let text: Parsed<string>;
  if (typeof file !== 'string') text = parsed(file.text);
  else if (file.startsWith('env:')) text = readVariable(file.slice('env:'.length), around);
  else text = around.readText(file.startsWith('file:') ? file.slice('file:'.length) : file);
  if (!text.ok) return refuse({ file: name, line: 0, column: 0 }, text.reason);
  const tree = parseText(text.value, { file: name });
  if (tree.root === undefined || tree.root.kind === 'map') return tree;
  if (tree.root.kind === 'scalar' && tree.root.value === null)
    return { root: undefined, faults: tree.faults };
  return refuse(tree.root.at, 'wrong type', 'a map of sections such as receivers: and exporters:');
}

function readVariable(name: string, around: Surroundings): Parsed<string> {
  const value = around.env(name);
  return value === undefined ? unparsed('is not set') : parsed(value);
}

/** The keys of the map at `path`, in the order they were written; none if there is no map. */
export function keysAt(source: LoadedSource, path: Path): readonly string[] {
  const node = nodeAt(source.root, path);
  return node?.kind === 'map' ? [...node.entries.keys()] : [];
}

/** A problem that only the caller can see, such as a pipeline naming what is not there, at the place of that key. */
export function problemAt(
  source: LoadedSource,
  path: Path,
  message: string,
  details: ProblemDetails = {},
): Problem {
  return problem(positionOf(source.root, path), path, message, details);
}
