// kill -9 of the whole agent, at every age: before it says a word, while it recovers, under load, with a dead backend, while
// it stops. Invariant: what was answered with success arrives, whatever became of the process that said so.

import path from 'node:path';
import type { AgentProcess } from '../e2e/agent_process.ts';
import { Broken, type Outcome, type Scenario, type Setting, within } from './scenario.ts';
import { PATIENCE_MS, Site } from './site.ts';

/** Kills between two moments at which everything has to have arrived. */
const KILLS_PER_CHECK = 25;
/** About as long as it takes from its start to ready, and from its first line to ready. */
const LOAD_MS_MAX = 500;
const RECOVER_MS_MAX = 150;

/** What a process was doing when it was killed, by its own last words. */
type Phase = 'loading' | 'recovering' | 'serving' | 'stopping';

export const agentKills: Scenario = {
  name: 'agent',
  summary: 'kill -9 of the whole agent at random moments, with a ledger of what it acknowledged',
  async run(setting): Promise<Outcome> {
    const work = new Work(setting);
    const lanes = Array.from({ length: setting.side }, (_, lane) => work.lane(lane));
    const figures = await Promise.all(lanes);
    const sum = (name: string): number => figures.reduce((total, each) => total + (each[name] ?? 0), 0);
    const account = Object.fromEntries(
      ['acknowledged', 'lost', 'duplicates', 'refused'].map((name) => [name, sum(name)]),
    );
    return {
      outcome: 'held',
      figures: { kills: work.kills, workers: setting.workers, while: work.phases, ...account },
    };
  },
};

class Work {
  kills = 0;
  readonly phases: Record<Phase, number> = { loading: 0, recovering: 0, serving: 0, stopping: 0 };
  readonly #setting: Setting;
  #begun = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  async lane(lane: number): Promise<Readonly<Record<string, number>>> {
    const { directory, launch, seed, workers } = this.#setting;
    const site = await Site.create({
      seed: seed + 1000 * lane,
      directory: path.join(directory, `agent-${lane}`),
      launch,
      workers,
    });
    try {
      while (this.#begun < this.#setting.kills.agent) {
        this.#begun += 1;
        await this.#kill(site);
        if (this.#begun % KILLS_PER_CHECK !== 0) continue;
        await site.start();
        await site.settle();
        await site.agent!.kill();
      }
      await site.start();
      await site.finish();
      return site.figures();
    } finally {
      await site.abandon();
    }
  }

  /** One life. It counts when it was the signal that ended it. */
  async #kill(site: Site): Promise<void> {
    const { random } = site;
    if (random.next() % 3 === 0) site.says(503);
    else site.mood('reset', 503, 500);
    const agent = site.launch();
    const moment = random.next() % 10;
    if (moment < 4) await early(agent, moment < 2, random.next());
    else {
      await within(PATIENCE_MS, 'ready', agent.ready(), () => agent.output());
      await site.account.load(agent, 1 + (random.next() % 60), () => {
        if (moment === 4) agent.signal('SIGTERM');
        if (moment > 4) agent.signal('SIGKILL');
        else setTimeout(() => agent.signal('SIGKILL'), random.next() % 40);
      });
    }
    const code = await within(PATIENCE_MS, 'gone', agent.exited, () => agent.output());
    if (code === null) {
      this.kills += 1;
      this.phases[phaseOf(agent)] += 1;
    } else if (code !== 0 || !agent.said('stopping')) {
      throw new Broken(`the agent ended by itself with ${code}`, agent.output());
    }
    const { acknowledged, duplicates } = site.account;
    this.#setting.progress(
      `${this.kills}/${this.#setting.kills.agent} kills; ${acknowledged} acknowledged, ${duplicates} duplicates in this lane`,
    );
  }
}

/** Kills after a time that falls into loading or the first moments of service, or once it has said that it starts. */
async function early(agent: AgentProcess, loading: boolean, chance: number): Promise<void> {
  if (!loading) await Promise.race([agent.line((line) => line.message === 'starting'), agent.exited]);
  const after_ms = chance % (loading ? LOAD_MS_MAX : RECOVER_MS_MAX);
  const timer = setTimeout(() => agent.signal('SIGKILL'), after_ms);
  await agent.exited;
  clearTimeout(timer);
}

function phaseOf(agent: AgentProcess): Phase {
  if (agent.said('stopping')) return 'stopping';
  if (agent.said('ready')) return 'serving';
  return agent.said('starting') ? 'recovering' : 'loading';
}
