// The sources and the libraries they use, put together into few files: a start that loads 600 modules one by one spends a
// third of its time on finding and reading them. Invariant: every entry of package.json is a file of the same name as its
// source, and a class exists once, whichever entry it is reached by.

import path from 'node:path';
import { rolldown } from 'rolldown';
import { takeBuiltins } from './builtins.ts';

/**
 * What is reached by its file: the verbs, what package.json exports, what a worker thread begins with, and the supervisor,
 * which looks for that one beside itself.
 */
const entries = [
  'agent/main',
  'agent/index',
  'agent/workers/supervisor',
  'agent/workers/worker',
  'buffer/index',
];

/**
 * Each with all that it imports, but for what a group before it has. What is loaded together is one file, since to find one
 * takes Node a millisecond; what only some need is left to the bundler: a component, a verb, a worker.
 */
const groups = [
  { name: 'error', test: /\/config\/error\.ts$/, priority: 4 },
  { name: 'buffer', test: /\/buffer\/index\.ts$/, priority: 3 },
  { name: 'command', test: /\/agent\/(command_line|terminal)\.ts$/, priority: 2 },
  {
    name: 'start',
    test: /\/agent\/(start|read_config|uncaught)\.ts$|\/exporters\/credentials\.ts$|\/(otlp|receivers\/server)\//,
    priority: 1,
  },
];

export interface Bundled {
  /** Absolute paths of all files of other packages that came in. */
  readonly foreignFiles: readonly string[];
}

export async function bundle(root: string, dist: string): Promise<Bundled> {
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(entries.map((entry) => [entry, path.join(root, `${entry}.ts`)])),
    platform: 'node',
    onLog(_level, log) {
      throw new Error(`the bundler says: ${log.message}`);
    },
  });
  // Names and lines stay, so that a stack trace can be read, and a comment before each part names its source. The comments
  // within do not: they are a third of the package, and who reads dist/ has the sources. Licences stand in THIRD-PARTY.txt too.
  const { output } = await build.write({
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: ({ facadeModuleId: source }) => `chunks/${placeOf(root, source) ?? '[name]'}.js`,
    minify: false,
    codeSplitting: { groups },
    comments: { legal: true, annotation: false, jsdoc: false },
    plugins: [{ name: 'builtins', renderChunk: (code) => takeBuiltins(code) }],
  });
  await build.close();
  const files = new Set(output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : [])));
  return { foreignFiles: [...files].filter((file) => file.includes('/node_modules/')).sort() };
}

/** A chunk that begins with a source of ours has its path, so that a stack trace says which `receiver` it means. */
function placeOf(root: string, source: string | null | undefined): string | undefined {
  if (!source || source.includes('/node_modules/')) return undefined;
  return path.relative(root, source).replace(/\.ts$/, '');
}
