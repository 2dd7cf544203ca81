// System calls that fail as a dying disk makes them, by strace's fault injection: while the agent serves, and while it starts.
// Invariant: no success for what failed, no end of a serving process, and all is well once the disk is.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import type { AgentProcess, Launch } from '../e2e/agent_process.ts';
import { Broken, expectThat, type Outcome, type Scenario, type Setting, within } from './scenario.ts';
import { PATIENCE_MS, Site } from './site.ts';

const WRITE = 'pwrite64,pwritev,pwritev2';
const RENAME = 'rename,renameat,renameat2';
const UNLINK = 'unlink,unlinkat';
/** What makes the log replace files and begin new segments, so that other calls come to pass and can fail. */
const SYNCS_FAIL = 'fdatasync:error=EIO:when=1+2';

/** Which calls fail (strace's --inject; it counts by thread, and the pool has eight). The first one is what it is about. */
const SERVING: Readonly<Record<string, readonly string[]>> = {
  'fdatasync EIO, now and then': ['fdatasync:error=EIO:when=2+3'],
  'fdatasync EIO, always': ['fdatasync:error=EIO'],
  'fdatasync ENOSPC': ['fdatasync:error=ENOSPC:when=1+2'],
  'write EIO': [`${WRITE}:error=EIO:when=2+5`],
  'write ENOSPC, always': [`${WRITE}:error=ENOSPC`],
  'rename EIO': [`${RENAME}:error=EIO`, SYNCS_FAIL],
  'fsync of directories EIO': ['fsync:error=EIO:when=1+2', SYNCS_FAIL],
  'open EMFILE': ['openat:error=EMFILE:when=1+2', SYNCS_FAIL],
  'remove EIO': [`${UNLINK}:error=EIO:when=1+2`],
};
/** A direct commit is one write: what its failure costs is what a failed sync costs. */
const SERVING_DIRECT: typeof SERVING = {
  'direct write EIO': [`${WRITE}:error=EIO:when=2+5`],
  'direct write EIO, always': [`${WRITE}:error=EIO`],
  'direct write ENOSPC': [`${WRITE}:error=ENOSPC:when=1+3`],
  'direct write refused': [`${WRITE}:error=EINVAL:when=2+5`],
};
const STARTING: readonly string[] = ['fdatasync', WRITE, 'fsync', 'openat'];
const STARTS_PER_CALL = 4;
const REQUESTS = 150;

export const failingCalls: Scenario = {
  name: 'failing_calls',
  summary: 'EIO, ENOSPC and EMFILE from fdatasync, pwrite, rename, fsync, open and unlink (strace)',
  async run(setting): Promise<Outcome> {
    const strace = spawnSync('strace', ['-e', 'inject=fdatasync:error=EIO', 'true']);
    if (strace.status !== 0) {
      const reason = strace.error?.message ?? String(strace.stderr).trim();
      return { outcome: 'skipped', reason: `strace cannot inject here: ${reason}` };
    }
    const injected: Record<string, number> = {};
    const starts = { ready: 0, refused: 0, untouched: 0 };
    const direct = await siteOf(setting, 'direct');
    try {
      await whileServingAll(direct, setting, SERVING_DIRECT, injected);
      await direct.start();
      await direct.finish();
    } finally {
      await direct.abandon();
    }
    const site = await siteOf(setting, 'append');
    try {
      await whileServingAll(site, setting, SERVING, injected);
      for (const call of STARTING) {
        for (let nth = 1; nth <= STARTS_PER_CALL; nth++) {
          starts[await whileStarting(site, setting, `${call}:error=EIO:when=${nth}`)] += 1;
        }
      }
      await site.start();
      await site.finish();
      return { outcome: 'held', figures: { injected, starts, ...site.figures() } };
    } finally {
      await site.abandon();
    }
  },
};

/** Small segments and quick renewal, so that files are created, renamed and removed while calls fail. */
function siteOf(setting: Setting, way: 'append' | 'direct'): Promise<Site> {
  const sizes = 'segment_size: 1MiB, segment_max_age: 1s, max_size: 256MiB, retention_interval: 100ms';
  const directory = path.join(setting.directory, way);
  fs.mkdirSync(directory);
  return Site.create({ ...setting, directory, buffer: `${sizes}, commit_way: ${way}` });
}

async function whileServingAll(
  site: Site,
  setting: Setting,
  serving: typeof SERVING,
  injected: Record<string, number>,
): Promise<void> {
  for (const [name, faults] of Object.entries(serving)) {
    const calls = await whileServing(site, setting, name, faults);
    expectThat(calls > 0, `${name}: nothing was made to fail`);
    injected[name] = calls;
    setting.progress(`${name}: ${calls} calls failed`);
  }
}

/** @returns how many calls were made to fail */
async function whileServing(
  site: Site,
  setting: Setting,
  name: string,
  faults: readonly string[],
): Promise<number> {
  site.mood('reset', 503);
  const agent = await site.start();
  const output = path.join(setting.directory, 'strace');
  const tracer = await attach(agent, faults, output);
  try {
    await within(
      PATIENCE_MS,
      'every request is answered',
      site.account.attempt(agent, REQUESTS, () => {}),
      () => agent.output(),
    );
  } finally {
    await tracer.detach();
  }
  expectThat(agent.child.exitCode === null, `${name}: the agent ended`, agent.output());
  // The disk is well again: it serves without being told.
  await within(
    PATIENCE_MS,
    `served after ${name}`,
    site.account.load(agent, 20, () => {}),
    () => agent.output(),
  );
  await agent.kill();
  await site.start();
  await site.settle();
  await site.agent!.kill();
  return injectedInto(callsOf(faults[0]!), output);
}

/** A start may be refused where the disk fails; it may not do harm, nor end in any other way. */
async function whileStarting(
  site: Site,
  setting: Setting,
  fault: string,
): Promise<'ready' | 'refused' | 'untouched'> {
  site.mood('reset', 503);
  const output = path.join(setting.directory, 'strace');
  const through = ['strace', '-f', '-o', output, ...injections([fault])];
  const how: Launch = { entry: 'dist/agent/main.js', through };
  const agent = site.launch(how);
  const ready = await within(
    PATIENCE_MS,
    `ready or gone with ${fault}`,
    Promise.race([
      agent.ready().then(() => 'ready' as const),
      agent.exited.then(() => 'refused' as const),
    ]).catch(() => 'refused' as const),
    () => agent.output(),
  );
  if (ready === 'ready') {
    await site.account.attempt(agent, 20, () => {});
    await agent.kill();
  } else {
    const code = await agent.exited;
    expectThat(
      code === 1 && agent.said('the agent did not start'),
      `${fault}: ended with ${code}`,
      agent.output(),
    );
  }
  return injectedInto(callsOf(fault), output) === 0 ? 'untouched' : ready;
}

interface Tracer {
  detach(): Promise<void>;
}

const callsOf = (fault: string): string => fault.slice(0, fault.indexOf(':'));

function injections(faults: readonly string[]): string[] {
  const injected = faults.flatMap((fault) => ['-e', `inject=${fault}`]);
  return ['-e', `trace=${faults.map(callsOf).join(',')}`, ...injected];
}

/** How many of these calls strace made to fail, by its own record. */
function injectedInto(calls: string, output: string): number {
  const lines = fs.readFileSync(output, 'utf8').split('\n');
  const named = new RegExp(`\\b(?:${calls.replaceAll(',', '|')})\\b`);
  return lines.filter((line) => line.includes('(INJECTED)') && named.test(line)).length;
}

async function attach(agent: AgentProcess, faults: readonly string[], output: string): Promise<Tracer> {
  fs.rmSync(output, { force: true });
  const args = ['-f', '-p', String(agent.pid), '-o', output, ...injections(faults)];
  const tracer: ChildProcess = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(tracer, 'exit');
  let said = '';
  const attached = new Promise<void>((resolve) => {
    tracer.stderr!.on('data', (bytes: Buffer) => {
      said += bytes.toString('utf8');
      if (/attached/.test(said)) resolve();
    });
  });
  const failed = ended.then(() => {
    throw new Broken(`strace ended: ${said}`);
  });
  failed.catch(() => {});
  await Promise.race([attached, failed]);
  return {
    async detach() {
      tracer.kill('SIGINT');
      await ended;
    },
  };
}
