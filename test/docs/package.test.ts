// What is published works where it is installed: the package is packed as npm packs it, unpacked into an empty folder
// beside the dependencies, and used as a stranger would. No network: dependencies are linked from this checkout.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { removeDirectory, temporaryDirectory } from '../e2e/temporary.ts';
import { plantedBugs } from '../sim/planted.ts';

const execute = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const modules = path.join(root, 'node_modules');
const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
const TARBALL_BYTES_MAX = 1_000_000;

let directory: string;
let files: string[];
let tarballSize_bytes: number;
const consumer = () => path.join(directory, 'consumer');
const installed = () => path.join(consumer(), 'node_modules/holdfast');

/** A stranger's program or command: in the consumer's folder, without this checkout's tools on PATH. */
async function use(...args: string[]): Promise<string> {
  const { stdout } = await execute(process.execPath, args, { cwd: consumer() });
  return stdout;
}

beforeAll(async () => {
  directory = temporaryDirectory();
  const copy = path.join(directory, 'copy');
  // dist/ of the checkout may be in use or missing, so the package is built from a copy.
  const left = new Set(['.git', 'node_modules', 'dist', 'holdfast-data', 'coverage']);
  for (const name of fs.readdirSync(root)) {
    if (!left.has(name)) fs.cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  }
  fs.symlinkSync(modules, path.join(copy, 'node_modules'));
  await execute(process.execPath, ['--disable-warning=ExperimentalWarning', 'build/main.ts'], { cwd: copy });
  const pack = ['pack', '--json', '--offline', '--ignore-scripts', '--pack-destination', directory];
  const { stdout } = await execute('npm', pack, { cwd: copy });
  const [packed] = Object.values(JSON.parse(stdout)) as {
    filename: string;
    size: number;
    files: { path: string }[];
  }[];
  files = packed!.files.map((file) => file.path);
  tarballSize_bytes = packed!.size;
  fs.mkdirSync(installed(), { recursive: true });
  await execute('tar', [
    '-xzf',
    path.join(directory, packed!.filename),
    '--strip-components=1',
    '-C',
    installed(),
  ]);
  for (const name of [...Object.keys(manifest.dependencies), '@types/node', 'undici-types']) {
    const place = path.join(consumer(), 'node_modules', name);
    fs.mkdirSync(path.dirname(place), { recursive: true });
    fs.symlinkSync(path.join(modules, name), place);
  }
});
afterAll(() => removeDirectory(directory));

describe('the package', () => {
  it('holds what runs and what explains it, and neither tests nor sources', () => {
    for (const file of [
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'package.json',
      'bin/holdfast.js',
      'dist/agent/main.js',
      'dist/agent/workers/worker.js',
      'dist/THIRD-PARTY.txt',
      'dist/agent/index.d.ts',
      'dist/buffer/index.js',
      'dist/buffer/index.d.ts',
      'examples/gateway.yaml',
      // What RESULTS.md shows.
      'bench/charts/cpu.svg',
      'bench/charts/rate.svg',
    ]) {
      expect(files).toContain(file);
    }
    const foreign = files.filter(
      (file) =>
        !/^(bin\/.*\.(js|d\.ts)|dist\/.*\.(js|d\.ts)|dist\/THIRD-PARTY\.txt|examples\/[\w.-]+\.yaml|examples\/buffer\/\w+\.ts|bench\/charts\/\w+\.svg|([\w]+\/)*[\w-]+\.md|LICENSE|package\.json)$/.test(
          file,
        ) || /^(dist\/)?(test|bench|examples\/demo)\/(?!(RESULTS|MODEL)\.md|charts\/)/.test(file),
    );
    expect(foreign).toEqual([]);
    expect(tarballSize_bytes).toBeLessThan(TARBALL_BYTES_MAX);
  });

  it('holds no planted bug and no switch for one', () => {
    const names = [...Object.keys(plantedBugs), 'planted', 'planting'];
    const sources = files.filter((file) => /\.(js|ts)$/.test(file));
    expect(sources.length).toBeGreaterThan(100);
    for (const file of sources) {
      const text = fs.readFileSync(path.join(installed(), file), 'utf8');
      expect({ file, holds: names.filter((name) => text.includes(name)) }).toEqual({ file, holds: [] });
      expect(text).not.toMatch(/from\s+['"][^'"]*\/test\//);
    }
  });

  it.each(['README.md', 'buffer/README.md', 'agent/README.md'])(
    'holds every file that %s links to',
    (page) => {
      const links = [...fs.readFileSync(path.join(installed(), page), 'utf8').matchAll(/\]\(([^)\s#]+)/g)];
      const missing = links
        .map((link) => link[1]!)
        .filter((link) => !link.includes(':') && !files.includes(path.join(path.dirname(page), link)));
      expect(missing).toEqual([]);
    },
  );
});

describe('the installed command', () => {
  const command = 'node_modules/holdfast/bin/holdfast.js';

  it('says its version', async () => {
    expect(await use(command, '--version')).toBe(`holdfast ${manifest.version}\n`);
  });

  it('validates an example of the package', async () => {
    const file = 'node_modules/holdfast/examples/gateway.yaml';
    expect(await use(command, 'validate', '--config', file)).toBe(`${file}: valid\n`);
  });

  it('names every package that is bundled, with its licence', () => {
    const text = fs.readFileSync(path.join(installed(), 'dist/THIRD-PARTY.txt'), 'utf8');
    for (const name of Object.keys(manifest.dependencies)) {
      const { version } = JSON.parse(fs.readFileSync(path.join(modules, name, 'package.json'), 'utf8'));
      expect(text).toContain(`\n${name} ${version} (`);
    }
  });

  it('starts from a few files of its own, and loads neither modules one by one nor a fetch client', async () => {
    fs.writeFileSync(
      path.join(consumer(), 'loads.mjs'),
      `import { registerHooks } from 'node:module';
const files = [];
registerHooks({ load: (url, context, next) => { if (url.startsWith('file:')) files.push(url); return next(url, context); } });
process.on('exit', () => console.log(JSON.stringify({ files, builtins: process.moduleLoadList })));
process.stderr.write = (text) => { if (text.includes('"ready"')) process.kill(process.pid, 'SIGTERM'); return true; };
`,
    );
    fs.writeFileSync(
      path.join(consumer(), 'loads.yaml'),
      `receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:0" }, grpc: { endpoint: "127.0.0.1:0" } } } }
exporters: { otlp_http: { endpoint: "http://127.0.0.1:9" } }
buffer: { directory: ./loads-data }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [otlp_http] } }
`,
    );
    const main = 'node_modules/holdfast/dist/agent/main.js';
    const said = await use('--import', './loads.mjs', main, 'run', '--config', 'loads.yaml');
    const { files, builtins } = JSON.parse(said) as { files: string[]; builtins: string[] };
    expect(files.filter((file) => !file.includes('/node_modules/holdfast/dist/'))).toEqual([]);
    expect(files.length).toBeLessThan(40);
    // Planted: what an import of node:http loads is seen here.
    const seen = await use(
      '-e',
      "import('node:http').then(() => console.log(process.moduleLoadList.join('\\n')))",
    );
    const client = seen.split('\n').find((name) => name.endsWith('deps/undici/undici'));
    expect(client).toBeDefined();
    expect(builtins).not.toContain(client);
  });

  it('says the same over a compile cache that is damaged, and over one that cannot be written', async () => {
    const file = 'node_modules/holdfast/examples/gateway.yaml';
    const valid = `${file}: valid\n`;
    const over = async (cache: string): Promise<string> => {
      const env = { ...process.env, NODE_COMPILE_CACHE: cache };
      const args = ['node_modules/holdfast/dist/agent/main.js', 'validate', '--config', file];
      return (await execute(process.execPath, args, { cwd: consumer(), env })).stdout;
    };
    const cache = path.join(directory, 'compile-cache');
    expect(await over(cache)).toBe(valid);
    const entries = fs.readdirSync(cache, { recursive: true, withFileTypes: true });
    const cached = entries.filter((entry) => entry.isFile());
    expect(cached.length).toBeGreaterThan(5);
    for (const [index, { parentPath, name }] of cached.entries()) {
      const bytes = fs.readFileSync(path.join(parentPath, name));
      // In turn: cut off, emptied, another byte in the middle.
      if (index % 3 === 0) fs.writeFileSync(path.join(parentPath, name), bytes.subarray(0, bytes.length / 2));
      else if (index % 3 === 1) fs.writeFileSync(path.join(parentPath, name), '');
      else fs.writeFileSync(path.join(parentPath, name), bytes.fill(0xff, bytes.length / 2));
    }
    expect(await over(cache)).toBe(valid);
    expect(await over(path.join(installed(), 'package.json/no-folder'))).toBe(valid);
  });

  it.each([1, 2])('runs dist/ with %i workers, becomes ready and stops', async (workers) => {
    fs.writeFileSync(
      path.join(consumer(), 'run.mjs'),
      `import { spawn } from 'node:child_process';
const free = ['receivers.otlp.protocols.grpc.endpoint', 'receivers.otlp.protocols.http.endpoint', 'receivers.http.endpoint',
  'receivers.syslog.tcp.listen_address', 'receivers.syslog.udp.listen_address',
  'extensions.health_check.endpoint', 'service.telemetry.metrics.address'].flatMap((key) => ['--set', key + '=127.0.0.1:0']);
const child = spawn(process.execPath, [${JSON.stringify(command)}, 'run', ...free, '--set', 'service.workers=${workers}'], { stdio: ['ignore', 'ignore', 'pipe'] });
let text = '';
child.stderr.setEncoding('utf8').on('data', (more) => {
  const before = text.includes('"ready"');
  text += more;
  if (!before && text.includes('"ready"')) child.kill('SIGTERM');
});
child.on('close', (code) => console.log(code, text.includes('"stopped"')));
`,
    );
    expect(await use('run.mjs')).toBe('0 true\n');
  });
});

describe('the installed library', () => {
  const program = `import { type Agent, startAgent, version } from 'holdfast';
import { Log } from 'holdfast/buffer';
const open: (options: { directory: string }) => Promise<Log> = Log.open;
const start: (options: { config: string }) => Promise<Agent> = startAgent;
const text: string = version;
console.log(typeof open, typeof start, text);
`;

  it('is imported by its two names', async () => {
    fs.writeFileSync(path.join(consumer(), 'program.mts'), program);
    expect(await use('--disable-warning=ExperimentalWarning', 'program.mts')).toBe(
      `function function ${manifest.version}\n`,
    );
  });

  it('has each class once, whichever name it is reached by', async () => {
    fs.writeFileSync(
      path.join(consumer(), 'classes.mjs'),
      `import { HoldfastError } from 'holdfast';
import { DirectoryUnusable } from 'holdfast/buffer';
console.log(DirectoryUnusable.prototype instanceof HoldfastError);
`,
    );
    expect(await use('--disable-warning=ExperimentalWarning', 'classes.mjs')).toBe('true\n');
  });

  it('is typed: what fits compiles, what does not is an error', async () => {
    fs.writeFileSync(path.join(consumer(), 'program.mts'), program);
    fs.writeFileSync(
      path.join(consumer(), 'wrong.mts'),
      "import { Log } from 'holdfast/buffer';\nconst log: number = await Log.open({ directory: 1 });\nconsole.log(log);\n",
    );
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2024',
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
    };
    const config = path.join(consumer(), 'tsconfig.json');
    fs.writeFileSync(config, JSON.stringify({ compilerOptions, include: ['*.mts'] }));
    const tsc = path.join(modules, 'typescript/bin/tsc');
    const failed = await use(tsc, '-p', config).catch((error: { stdout: string }) => error.stdout);
    const places = [...failed.matchAll(/^(\S+)\((\d+),/gm)].map((match) => `${match[1]}:${match[2]}`);
    expect(new Set(places)).toEqual(new Set(['wrong.mts:2']));
  });
});
