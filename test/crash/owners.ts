// One directory, one owner: a second process is refused at once and told by whom, whether the owner runs, is paused, or
// was started in the same instant; a dead owner keeps nobody out. Invariant: at no time do two processes say "ready".

import type { AgentProcess } from '../e2e/agent_process.ts';
import { expectThat, type Outcome, type Scenario, within } from './scenario.ts';
import { PATIENCE_MS, Site } from './site.ts';

const ROUNDS = 10;
/** From its first line until it says no. */
const REFUSED_MS_MAX = 1_000;

export const owners: Scenario = {
  name: 'owners',
  summary: 'two processes on one directory; a stopped owner; a stale lock',
  async run(setting): Promise<Outcome> {
    const site = await Site.create(setting);
    const refused_ms: number[] = [];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const [owner, ms] = await race(site);
        refused_ms.push(ms);
        await site.account.load(owner, 10, () => {});
        refused_ms.push(await refusal(site, owner));
        owner.signal('SIGSTOP');
        refused_ms.push(await refusal(site, owner));
        owner.signal('SIGCONT');
        await site.account.load(owner, 10, () => {});
        site.agent = owner;
        await site.settle();
        // The next round finds the lock of a process that is gone.
        await owner.kill();
        setting.progress(`round ${round + 1} of ${ROUNDS}`);
      }
      await site.start();
      await site.finish();
    } finally {
      await site.abandon();
    }
    const slowest_ms = Math.max(...refused_ms);
    expectThat(slowest_ms < REFUSED_MS_MAX, `refused after ${slowest_ms} ms`);
    const refusals = { second_owners_refused: refused_ms.length, slowest_refusal_ms: slowest_ms };
    return { outcome: 'held', figures: { rounds: ROUNDS, ...refusals, ...site.figures() } };
  },
};

/** Two started in the same instant: one owns, the other is refused. */
async function race(site: Site): Promise<[owner: AgentProcess, refused_ms: number]> {
  const both = [site.launch(), site.launch()];
  const ends = both.map(async (agent) => {
    const ready = await Promise.race([agent.ready().then(() => true), agent.exited.then(() => false)]).catch(
      () => false,
    );
    return { agent, ready };
  });
  const all = await within(PATIENCE_MS, 'one ready, one gone', Promise.all(ends), () =>
    both.map((agent) => agent.output()).join('\n---\n'),
  );
  const ready = all.filter((each) => each.ready).map(({ agent }) => agent);
  const [owner] = ready;
  const other = both.find((agent) => agent !== owner)!;
  if (ready.length !== 1) await Promise.all(both.map((agent) => agent.kill()));
  expectThat(
    ready.length === 1,
    `${ready.length} of two are ready`,
    both.map((a) => a.output()).join('\n---\n'),
  );
  return [owner!, refusedAfter_ms(other)];
}

async function refusal(site: Site, owner: AgentProcess): Promise<number> {
  const second = site.launch();
  const code = await within(PATIENCE_MS, 'refused', second.exited, () => second.output());
  expectThat(code === 1, `the second process ended with ${code}`, second.output());
  const who = `process ${owner.pid} since 20`;
  expectThat(second.output().includes(who), `the refusal names the owner: ${who}`, second.output());
  return refusedAfter_ms(second);
}

/** By its own clock: how long Node takes to load is not the point. */
function refusedAfter_ms(agent: AgentProcess): number {
  const at = (message: string): number => {
    const line = agent.lines.find((each) => each.message === message);
    expectThat(line !== undefined, `it says "${message}"`, agent.output());
    return Date.parse(String(line['time']));
  };
  return at('the agent did not start') - at('starting');
}
