// The grammar of `${env:NAME:-default}`, `${NAME}`, `${file:path}` and `$$` in one text. Pure: what a reference stands
// for is asked of the caller, and a default is asked for only when it is needed.

import { type Parsed, parsed, unparsed } from './parsed.ts';

/** Text as it is, or a reference made of such parts again: `${file:${env:HOME}/token}`. */
export type Part = string | { readonly parts: readonly Part[] };

const maxNesting = 8;
const literalHint = 'a literal $ is written $$';

/** A text without references is one part, with its `$$` made `$`. */
export function parseReferences(text: string): Parsed<readonly Part[]> {
  const scanner = { text, index: 0 };
  return scan(scanner, 0);
}

interface Scanner {
  readonly text: string;
  index: number;
}

function scan(scanner: Scanner, nesting: number): Parsed<readonly Part[]> {
  const parts: Part[] = [];
  let literal = '';
  const flush = (): void => {
    if (literal !== '') parts.push(literal);
    literal = '';
  };
  while (scanner.index < scanner.text.length) {
    const pair = scanner.text.slice(scanner.index, scanner.index + 2);
    if (pair === '$$') {
      literal += '$';
      scanner.index += 2;
    } else if (pair === '${') {
      if (nesting === maxNesting) return unparsed('references are nested too deeply');
      scanner.index += 2;
      const inner = scan(scanner, nesting + 1);
      if (!inner.ok) return inner;
      flush();
      parts.push({ parts: inner.value });
    } else if (nesting > 0 && pair.startsWith('}')) {
      scanner.index++;
      flush();
      return parsed(parts);
    } else {
      literal += pair[0];
      scanner.index++;
    }
  }
  if (nesting > 0)
    return unparsed(`a reference that begins with \${ is not closed with }; a literal \${ is written $\${`);
  flush();
  return parsed(parts);
}

/** What the outside world gives. */
export interface Surroundings {
  /** Undefined where the variable is not set. */
  env(name: string): string | undefined;
  /** The file's text, or why there is none. */
  readText(path: string): Parsed<string>;
}

export interface Resolved {
  readonly text: string;
  /** The file that it came from, if it is one file's whole content. */
  readonly file?: string;
}

/** One reference → what it stands for. */
export function resolve(parts: readonly Part[], around: Surroundings): Parsed<Resolved> {
  const first = typeof parts[0] === 'string' ? parts[0] : '';
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):(?!-)/.exec(first)?.[1];
  if (scheme === 'file') return resolveFile(withoutHead(parts, 'file:'.length), around);
  if (scheme === 'env') return resolveEnv(withoutHead(parts, 'env:'.length), around);
  if (scheme === undefined) return resolveEnv(parts, around);
  return unparsed(`a reference can name env: or file:, nothing else (${literalHint})`);
}

/** Several parts → one text, references resolved. */
export function join(parts: readonly Part[], around: Surroundings): Parsed<string> {
  let text = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    const resolved = resolve(part.parts, around);
    if (!resolved.ok) return resolved;
    text += resolved.value.text;
  }
  return parsed(text);
}

function withoutHead(parts: readonly Part[], length: number): readonly Part[] {
  const [first, ...rest] = parts;
  return typeof first === 'string' ? [first.slice(length), ...rest] : parts;
}

function resolveFile(parts: readonly Part[], around: Surroundings): Parsed<Resolved> {
  const path = join(parts, around);
  if (!path.ok) return path;
  if (path.value === '') return unparsed('a reference file: that names no file');
  const text = around.readText(path.value);
  if (!text.ok) return unparsed(`the file ${JSON.stringify(path.value)} ${text.reason}`);
  // The line break that every editor puts at the end is no part of a token or a password.
  return parsed({ text: text.value.replace(/\r?\n$/, ''), file: path.value });
}

function resolveEnv(parts: readonly Part[], around: Surroundings): Parsed<Resolved> {
  const split = splitDefault(parts);
  const name = join(split.name, around);
  if (!name.ok) return name;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name.value)) {
    return unparsed(`a reference that names no environment variable (${literalHint})`);
  }
  const value = around.env(name.value);
  if (value !== undefined) return parsed({ text: value });
  if (split.fallback === undefined) {
    return unparsed(
      `the environment variable ${name.value} is not set; \${env:${name.value}:-default} would give it a default`,
    );
  }
  const fallback = join(split.fallback, around);
  return fallback.ok ? parsed({ text: fallback.value }) : fallback;
}

function splitDefault(parts: readonly Part[]): {
  name: readonly Part[];
  fallback: readonly Part[] | undefined;
} {
  for (const [index, part] of parts.entries()) {
    if (typeof part !== 'string') continue;
    const at = part.indexOf(':-');
    if (at === -1) continue;
    return {
      name: [...parts.slice(0, index), part.slice(0, at)],
      fallback: [part.slice(at + 2), ...parts.slice(index + 1)],
    };
  }
  return { name: parts, fallback: undefined };
}
