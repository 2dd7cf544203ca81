// Reads TypeScript source just far enough to say what it imports and which names its code uses.
// Invariant: text in comments and string literals never counts as code, and an import is never missed.

export interface SourceScan {
  /** Module specifiers of every static and dynamic import and re-export, types included. */
  readonly imports: readonly string[];
  /** The source with comments and the content of string literals blanked, positions kept. */
  readonly code: string;
}

/** A `/` after one of these begins a regular expression, not a division. */
const regexMayFollow = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\breturn|\btypeof|\bcase|=>)\s*$/;

export function scanSource(source: string): SourceScan {
  const strings = new Map<number, string>();
  const code = blank(source, strings);
  const imports: string[] = [];
  const patterns = [
    /\b(?:import|export)\b[^;'"`()]*?\bfrom\s*(['"])/g,
    /\bimport\s*(['"])/g,
    /\bimport\s*\(\s*(['"])/g,
  ];
  for (const pattern of patterns) {
    for (const match of code.matchAll(pattern)) {
      const opening = match.index + match[0].length - 1;
      const specifier = strings.get(opening);
      if (specifier !== undefined) imports.push(specifier);
    }
  }
  return { imports, code };
}

/** Blanks comments, regular expressions and literal text; `strings` gets the literals by the position of their opening quote. */
function blank(source: string, strings: Map<number, string>): string {
  let out = '';
  let at = 0;
  // One number per template expression we are inside of: how many braces are open within it.
  const templates: number[] = [];

  const skipTo = (end: number): void => {
    out += source.slice(at, end).replace(/[^\n]/g, ' ');
    at = end;
  };
  const template = (): void => {
    while (at < source.length) {
      if (source[at] === '\\') skipTo(at + 2);
      else if (source[at] === '`') {
        out += '`';
        at += 1;
        return;
      } else if (source.startsWith('${', at)) {
        out += '${';
        at += 2;
        templates.push(0);
        return;
      } else skipTo(at + 1);
    }
  };

  while (at < source.length) {
    const c = source[at]!;
    if (source.startsWith('//', at)) skipTo(endOf(source, '\n', at));
    else if (source.startsWith('/*', at)) skipTo(endOf(source, '*/', at + 2) + 2);
    else if (c === '/' && regexMayFollow.test(out.slice(-80))) skipTo(endOfRegex(source, at));
    else if (c === "'" || c === '"') {
      const end = endOfString(source, at);
      strings.set(at, source.slice(at + 1, end));
      out += c;
      at += 1;
      skipTo(end);
      out += source[at] ?? '';
      at += 1;
    } else if (c === '`') {
      out += c;
      at += 1;
      template();
    } else if (c === '}' && templates.at(-1) === 0) {
      templates.pop();
      out += c;
      at += 1;
      template();
    } else {
      if (templates.length > 0 && c === '{') templates[templates.length - 1]! += 1;
      if (templates.length > 0 && c === '}') templates[templates.length - 1]! -= 1;
      out += c;
      at += 1;
    }
  }
  return out;
}

function endOf(source: string, mark: string, from: number): number {
  const found = source.indexOf(mark, from);
  return found < 0 ? source.length : found;
}

function endOfString(source: string, opening: number): number {
  let at = opening + 1;
  while (at < source.length && source[at] !== source[opening]) at += source[at] === '\\' ? 2 : 1;
  return Math.min(at, source.length);
}

function endOfRegex(source: string, opening: number): number {
  let inClass = false;
  let at = opening + 1;
  for (; at < source.length && source[at] !== '\n'; at += 1) {
    const c = source[at];
    if (c === '\\') at += 1;
    else if (c === '[') inClass = true;
    else if (c === ']') inClass = false;
    else if (c === '/' && !inClass) return at + 1;
  }
  return at;
}
