// An installed copy of the launcher in a temp folder, with a bundled Node and a small program in the agent's place.
// Invariant: nothing in it reaches the repository it was copied from.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { bundleFor } from '../../bin/launch.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Says what it is, then does what its last argument asks for. */
const program = `
import { Socket } from 'node:net';
const say = (what) => process.stdout.write(JSON.stringify(what) + '\\n');
const wish = process.argv.at(-1) ?? '';
const fd = process.env.HOLDFAST_LIFELINE_FD;
say({ pid: process.pid, argv: process.argv.slice(2), node: process.argv0, flags: process.execArgv, entry: process.argv[1],
  pool: process.env.UV_THREADPOOL_SIZE, lifeline: fd ?? null });
if (wish.startsWith('exit=')) process.exitCode = Number(wish.slice(5));
if (wish.startsWith('die=')) process.kill(process.pid, wish.slice(4));
if (wish === 'wait') {
  const hold = setInterval(() => {}, 60000);
  const done = (code) => { clearInterval(hold); process.exit(code); };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2']) {
    process.on(signal, () => { say({ signal }); if (fd === undefined && signal !== 'SIGHUP') done(9); });
  }
  if (fd !== undefined) {
    const pipe = new Socket({ fd: Number(fd), readable: true, writable: false });
    pipe.on('close', () => { say({ gone: true }); done(4); });
    pipe.resume();
  }
  say({ ready: true });
}
`;

export interface Install {
  readonly root: string;
  remove(): void;
}

export interface InstallOptions {
  /** Without it the package is there, but not the binary: what lies above the temp folder is not found either. */
  readonly bundled?: boolean;
  /** Whether dist/agent/main.js is there. */
  readonly built?: boolean;
}

export function install({ bundled = true, built = true }: InstallOptions = {}): Install {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-bin-')));
  fs.cpSync(path.join(repository, 'bin'), path.join(root, 'bin'), { recursive: true });
  fs.writeFileSync(path.join(root, 'package.json'), '{"name":"holdfast","type":"module"}');
  if (built) writeFile(path.join(root, 'dist/agent/main.js'), program);
  addNodePackage(root, bundled);
  return { root, remove: () => fs.rmSync(root, { recursive: true, force: true }) };
}

/** The package of this platform, if so with the Node that runs the tests in it. */
function addNodePackage(root: string, withBinary: boolean): void {
  const bundle = bundleFor(process.platform, process.arch);
  if (bundle === undefined) throw new Error(`no Node is bundled for ${process.platform}-${process.arch}`);
  const folder = path.join(root, 'node_modules', bundle.name);
  writeFile(
    path.join(folder, 'package.json'),
    JSON.stringify({ name: bundle.name, bin: { node: 'bin/node' } }),
  );
  if (!withBinary) return;
  fs.mkdirSync(path.join(folder, 'bin'));
  fs.symlinkSync(process.execPath, path.join(folder, 'bin', 'node'));
}

export function writeFile(file: string, text: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

/** How the launcher sees the Node that it runs on. */
export interface Pretence {
  readonly version?: string;
  /** False: as on Node 20, where a process cannot become another one. */
  readonly canReplace?: boolean;
}

export type Line = Readonly<Record<string, unknown>>;

export class Run {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  readonly #waiting = new Set<() => void>();
  #errors = '';
  readonly #ended: Promise<readonly [number | null, NodeJS.Signals | null]>;

  constructor(root: string, args: readonly string[], pretence: Pretence = {}, env: NodeJS.ProcessEnv = {}) {
    const { version = 'v20.20.2', canReplace = false } = pretence;
    const preload = `Object.defineProperty(process, 'version', { value: '${version}' });${canReplace ? '' : 'delete process.execve;'}`;
    this.child = spawn(
      process.execPath,
      [
        '--import',
        `data:text/javascript,${encodeURIComponent(preload)}`,
        path.join(root, 'bin/holdfast.js'),
        ...args,
      ],
      {
        cwd: root,
        env: { PATH: process.env['PATH'], ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      },
    );
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line);
      for (const wake of [...this.#waiting]) wake();
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    // `close`, not `exit`: the output is whole, and everybody who could write to it is gone.
    this.#ended = once(this.child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  }

  async line(key: string): Promise<Line> {
    for (;;) {
      const found = this.lines.find((line) => key in line);
      if (found !== undefined) return found;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      const ended = await Promise.race([promise.then(() => false), this.#ended.then(() => true)]);
      this.#waiting.delete(resolve);
      if (ended && !this.lines.some((line) => key in line)) {
        throw new Error(`it ended without saying ${key}: ${JSON.stringify(this.lines)} ${this.#errors}`);
      }
    }
  }

  async end(): Promise<{ code: number | null; signal: NodeJS.Signals | null; errors: string }> {
    const [code, signal] = await this.#ended;
    return { code, signal, errors: this.#errors };
  }
}
