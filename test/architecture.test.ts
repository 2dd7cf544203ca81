// The walls of the house: which folder may know which, and that time, chance and the disk are reached through ports.
// Invariant: the rules are checked on planted violations too, so that a rule that sees nothing cannot pass.

import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { scanSource } from './architecture/source_scan.ts';

const root = path.resolve(import.meta.dirname, '..');
const folders = ['agent', 'receivers', 'processors', 'exporters', 'buffer', 'otlp', 'config'];

/** Which folders each folder may import from, besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  agent: ['receivers', 'processors', 'exporters', 'buffer', 'otlp', 'config'],
  receivers: ['buffer', 'otlp', 'config'],
  processors: ['buffer', 'otlp', 'config'],
  exporters: ['buffer', 'otlp', 'config'],
  buffer: ['config'],
  otlp: ['config'],
  config: [],
};
/** Folders of components: one component never knows another, only the contract beside it. */
const componentFolders = ['receivers', 'processors', 'exporters'];
/** Parts within a component folder that all components of it may use. */
const shared = new Set(['exporters/drain', 'exporters/otlp', 'receivers/server']);

type Sources = ReadonlyMap<string, string>;

function sources(): Sources {
  const found = new Map<string, string>();
  for (const folder of folders) {
    let names: string[];
    try {
      names = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
    } catch {
      continue;
    }
    for (const name of names) {
      if (!name.endsWith('.ts')) continue;
      const file = path.posix.join(folder, name.split(path.sep).join('/'));
      found.set(file, readFileSync(path.join(root, file), 'utf8'));
    }
  }
  return found;
}

function relativeImports(file: string, source: string): string[] {
  return scanSource(source)
    .imports.filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => path.posix.join(path.posix.dirname(file), specifier));
}

/** `receivers/otlp` of `receivers/otlp/http.ts`; undefined for a contract such as `receivers/receiver.ts`. */
function componentOf(file: string): string | undefined {
  const [folder, component, ...rest] = file.split('/');
  return componentFolders.includes(folder!) && rest.length > 0 ? `${folder}/${component}` : undefined;
}

function directionProblems(files: Sources): string[] {
  const problems: string[] = [];
  for (const [file, source] of files) {
    const from = file.split('/')[0]!;
    for (const target of relativeImports(file, source)) {
      const to = target.split('/')[0]!;
      if (from !== to && !(mayImport[from] ?? []).includes(to)) {
        problems.push(`${file} imports ${target}: ${from}/ may not know ${to}/`);
        continue;
      }
      const [mine, theirs] = [componentOf(file), componentOf(target)];
      const inFolder = from === to && componentFolders.includes(from);
      if (inFolder && theirs && mine !== theirs && !shared.has(theirs)) {
        problems.push(`${file} imports ${target}: a component may not know another`);
      }
    }
  }
  return problems;
}

function unresolvedImports(files: Sources): string[] {
  const problems: string[] = [];
  for (const [file, source] of files) {
    for (const target of relativeImports(file, source)) {
      const data = target.endsWith('.json') || target === 'package.json';
      if (!data && !files.has(target)) problems.push(`${file} imports ${target}, which is not a source file`);
    }
  }
  return problems;
}

/** Every cycle found from some file, as the path that closes it. */
function cycles(files: Sources): string[] {
  const edges = new Map([...files].map(([file, source]) => [file, relativeImports(file, source)]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    const seen = trail.indexOf(file);
    if (seen >= 0) {
      found.push([...trail.slice(seen), file].join(' -> '));
      return;
    }
    if (done.has(file)) return;
    for (const target of edges.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return found;
}

function foreignPackages(files: Sources, dependencies: readonly string[]): string[] {
  const problems: string[] = [];
  for (const [file, source] of files) {
    for (const specifier of scanSource(source).imports) {
      if (specifier.startsWith('.')) continue;
      if (specifier.startsWith('node:')) {
        const known = builtinModules.includes(specifier.slice(5)) || builtinModules.includes(specifier);
        if (!known) problems.push(`${file} imports ${specifier}, which this Node does not have`);
        continue;
      }
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      if (!dependencies.includes(name)) problems.push(`${file} imports ${specifier}, not a dependency`);
    }
  }
  return problems;
}

/** A component's factory loads what runs it where it is configured; `nop` is one file, with nothing to load. */
function eagerComponents(files: Sources): string[] {
  const problems: string[] = [];
  for (const [file, source] of files) {
    if (!file.startsWith('agent/')) continue;
    for (const [, specifier] of source.matchAll(
      /^import\s+(?!type\s)[^;]*?'([^']*\/(?:receivers|exporters)\/\w+\/(?:receiver|exporter)\.ts)'/gm,
    )) {
      if (!specifier!.includes('/nop/'))
        problems.push(`${file} imports ${specifier}: its factory is to load it`);
    }
  }
  return problems;
}

const throughPorts = (file: string): boolean =>
  (file.startsWith('buffer/') && !file.startsWith('buffer/ports/')) || file.startsWith('exporters/drain/');

const forbiddenModules =
  /^(?:node:)?(?:fs|timers|sqlite|crypto|perf_hooks|child_process|worker_threads)(?:\/|$)/;
/** A global, not a property or key of the same name. */
const forbiddenNames =
  /(?<![\w$.])(?:performance|setTimeout|setInterval|setImmediate|globalThis|crypto)(?![\w$])(?!\s*\??:)/g;
const forbiddenCalls = /\b(?:Math\s*\.\s*random|AbortSignal\s*\.\s*timeout|process\s*\.\s*hrtime)\b/g;

/** `new Date(ms)` only formats a time that is given, so it is let through; asking what time it is, is not. */
const forbiddenDate = /(?<![\w$.])(?:(?<!new\s+)Date\s*\(|new\s+Date(?!\s*\(\s*[^)\s])|Date\s*\.\s*now)/g;

function portProblems(files: Sources): string[] {
  const problems: string[] = [];
  for (const [file, source] of files) {
    const { imports, code } = scanSource(source);
    if (!file.startsWith('buffer/ports/') && imports.includes('node:sqlite')) {
      problems.push(`${file} imports node:sqlite, which only buffer/ports may`);
    }
    if (!throughPorts(file)) continue;
    for (const specifier of imports) {
      if (forbiddenModules.test(specifier)) problems.push(`${file} imports ${specifier} past its ports`);
    }
    for (const pattern of [forbiddenNames, forbiddenDate, forbiddenCalls]) {
      for (const match of code.matchAll(pattern)) {
        const line = code.slice(0, match.index).split('\n').length;
        problems.push(`${file}:${line} uses ${match[0]} past its ports`);
      }
    }
  }
  return problems;
}

const planted = (files: Record<string, string>): Sources => new Map(Object.entries(files));

describe('the walls of the house', () => {
  const files = sources();

  it('reads the sources that it judges', () => {
    expect(files.size).toBeGreaterThan(10);
    expect(files.has('receivers/receiver.ts')).toBe(true);
  });

  it('holds the direction of imports', () => {
    expect(directionProblems(files)).toEqual([]);
  });

  it('has no cycle between files', () => {
    expect(cycles(files)).toEqual([]);
  });

  it('imports only files that exist, by their full name', () => {
    expect(unresolvedImports(files)).toEqual([]);
  });

  it('imports only packages that package.json names as dependencies', () => {
    const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    expect(foreignPackages(files, Object.keys(manifest.dependencies))).toEqual([]);
  });

  it('loads of a component only what tells of it, until it is configured', () => {
    expect(eagerComponents(files)).toEqual([]);
  });

  it('reaches files, time and chance only through ports in buffer/ and the drain loop', () => {
    expect(portProblems(files)).toEqual([]);
  });
});

describe('the rules themselves', () => {
  it.each([
    ['back', 'config/a.ts', "import { x } from '../otlp/b.ts';"],
    ['sideways between layers', 'buffer/a.ts', "export * from '../otlp/b.ts';"],
    [
      'from a receiver to an exporter',
      'receivers/otlp/a.ts',
      "import type { X } from '../../exporters/exporter.ts';",
    ],
    ['from a component to another', 'receivers/otlp/a.ts', "import '../http/b.ts';"],
    ['from the shared part to a backend', 'exporters/drain/a.ts', "import '../file/b.ts';"],
    ['from a contract to a component', 'exporters/exporter.ts', "await import('./file/b.ts');"],
    ['over several lines', 'exporters/file/a.ts', "import {\n  x,\n} from '../../agent/b.ts';"],
  ])('catch an import that goes %s', (_name, file, source) => {
    expect(directionProblems(planted({ [file]: source }))).toHaveLength(1);
  });

  it('let a component use its contract and the drain loop', () => {
    const source = "import '../exporter.ts';\nimport '../drain/config.ts';\nimport '../../otlp/signal.ts';";
    expect(directionProblems(planted({ 'exporters/file/a.ts': source }))).toEqual([]);
  });

  it('catch a cycle of three files, types included', () => {
    const found = cycles(
      planted({
        'otlp/a.ts': "import type { B } from './b.ts';",
        'otlp/b.ts': "import './c.ts';",
        'otlp/c.ts': "export { a } from './a.ts';",
      }),
    );
    expect(found).toEqual(['otlp/a.ts -> otlp/b.ts -> otlp/c.ts -> otlp/a.ts']);
  });

  it.each([
    "import { open } from 'node:fs/promises';",
    "import { setTimeout as wait } from 'node:timers/promises';",
    "import { DatabaseSync } from 'node:sqlite';",
    'const t = Date.now();',
    'const t = new Date();',
    'const t = new Date ( ) ;',
    'const t = new Date;',
    'const t = Date();',
    'const t = Date . now();',
    'const t = performance.now();',
    'setTimeout(f, 1);',
    'const r = Math.random();',
    'const s = AbortSignal.timeout(5);',
    'const t = process.hrtime.bigint();',
    'globalThis.setTimeout(f, 1);',
    'const id = crypto.randomUUID();',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text of a planted violation
    'const s = `at ${Date.now()}`;',
    'const half = a / 2; const now = Date.now(); const b = c / 3;',
  ])('catch %s in buffer/ and the drain loop', (source) => {
    for (const file of ['buffer/a.ts', 'exporters/drain/a.ts']) {
      expect(portProblems(planted({ [file]: source })).length).toBeGreaterThan(0);
    }
  });

  it.each([
    '// Date.now() and setTimeout are not for here',
    '/* Math.random() */',
    "const text = 'ask performance.now() instead';",
    'const quote = /["\']/; const t = "Date";',
    'clock.setTimer(f, 1); const d = options.performance;',
    'const text = new Date(clock.now()).toISOString(); const t = Date.UTC(2020, 1);',
    'interface Options { performance?: number; crypto: string }',
  ])('leave %s alone', (source) => {
    expect(portProblems(planted({ 'buffer/a.ts': source }))).toEqual([]);
  });

  it('let the ports themselves touch time', () => {
    expect(portProblems(planted({ 'buffer/ports/a.ts': 'const t = Date.now();' }))).toEqual([]);
  });

  it('catch a component that is loaded before it is configured', () => {
    for (const source of [
      "import { create } from '../exporters/b/exporter.ts';",
      "import '../receivers/b/receiver.ts';",
    ]) {
      expect(eagerComponents(planted({ 'agent/a.ts': source }))).toHaveLength(1);
    }
    const told =
      "import { b } from '../exporters/b/factory.ts';\nimport type { E } from '../exporters/b/exporter.ts';";
    expect(eagerComponents(planted({ 'agent/a.ts': told }))).toEqual([]);
  });

  it('catch a lock file opened outside the ports', () => {
    expect(portProblems(planted({ 'agent/a.ts': "import 'node:sqlite';" }))).toHaveLength(1);
  });

  it('catch packages nobody declared and imports without their suffix', () => {
    expect(foreignPackages(planted({ 'otlp/a.ts': "import 'left-pad/x';" }), ['zod'])).toHaveLength(1);
    expect(foreignPackages(planted({ 'otlp/a.ts': "import 'node:nonesuch';" }), [])).toHaveLength(1);
    expect(unresolvedImports(planted({ 'otlp/a.ts': "import './b';" }))).toHaveLength(1);
  });
});
