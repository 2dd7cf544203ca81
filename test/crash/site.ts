// One agent's world: a directory, a backend that is in a bad mood now and then, and the account of what was acknowledged.
// Invariant: whatever happened to the agent, `settle` ends only when all that was acknowledged has arrived, unharmed.

import fs from 'node:fs';
import path from 'node:path';
import { logsIn } from '../../agent/commands/on_disk.ts';
import { Seeded } from '../../bench/load/payload.ts';
import { type Damage, verifyLog } from '../../buffer/index.ts';
import { Account } from '../e2e/account.ts';
import { AgentProcess, type Launch } from '../e2e/agent_process.ts';
import { Backend, type Behaviour } from '../e2e/backend.ts';
import { configuration } from '../e2e/configuration.ts';
import { Broken, expectThat, type Figures, within } from './scenario.ts';

/** Filler of a request, bytes; the second half is rare. */
const SIZES_BYTES = [0, 30, 300, 2_000, 20_000, 66_000, 150_000, 300_000];
/** Nothing here waits for a time to pass, so this is only for what would never end. */
export const PATIENCE_MS = 120_000;

export interface SiteOptions {
  readonly seed: number;
  readonly directory: string;
  readonly launch: Launch;
  /** `service.workers`; 1 by default. */
  readonly workers?: number;
  /** More keys of the buffer section, as YAML flow entries. */
  readonly buffer?: string;
}

export class Site {
  readonly directory: string;
  readonly random: Seeded;
  readonly account: Account;
  readonly backend: Backend;
  readonly configuration: string;
  readonly #launch: Launch;
  agent: AgentProcess | undefined;

  private constructor(options: SiteOptions, backend: Backend) {
    this.directory = options.directory;
    this.backend = backend;
    this.random = new Seeded(options.seed);
    this.account = new Account(new Seeded(options.seed + 1), SIZES_BYTES);
    this.#launch = options.launch;
    const buffer = options.buffer ?? 'segment_size: 1MiB, max_size: 256MiB, retention_interval: 200ms';
    this.configuration = configuration({
      directory: this.directory,
      backends: { otlp_http: backend.url },
      buffer,
      ...(options.workers === undefined ? {} : { workers: options.workers }),
    });
  }

  static async create(options: SiteOptions): Promise<Site> {
    fs.mkdirSync(options.directory, { recursive: true });
    return new Site(options, await Backend.start());
  }

  get log(): string {
    return path.join(this.directory, 'buffer');
  }

  /** Starts an agent and waits for nothing. */
  launch(how: Launch = this.#launch): AgentProcess {
    this.agent = new AgentProcess(this.directory, this.configuration, [], how);
    return this.agent;
  }

  /** Starts an agent and waits until it takes requests. */
  async start(how?: Launch): Promise<AgentProcess> {
    const agent = this.launch(how);
    await within(PATIENCE_MS, 'ready', agent.ready(), () => agent.output());
    return agent;
  }

  /** What the backend says until it is told otherwise: yes, with one of these every fourth time. */
  mood(...troubles: readonly Behaviour[]): void {
    this.backend.behave = () => {
      this.account.collect(this.backend);
      return troubles[this.random.next() % (4 * troubles.length)] ?? 200;
    };
  }

  says(behaviour: Behaviour): void {
    this.backend.behave = () => {
      this.account.collect(this.backend);
      return behaviour;
    };
  }

  /** With a backend in good health, until nothing that was acknowledged is missing. @throws Broken */
  async settle(): Promise<void> {
    this.says(200);
    if (!this.agent) throw new Broken('no agent runs');
    const { agent, account, backend } = this;
    const gone = agent.exited.then((code) => {
      throw new Broken(`the agent ended with ${code}`, agent.output());
    });
    gone.catch(() => {});
    const arrived = backend.until(() => account.collect(backend) === 0);
    await within(PATIENCE_MS, 'everything acknowledged has arrived', Promise.race([arrived, gone]), () =>
      [`${account.collect(backend)} acknowledged requests are missing`, agent.output()].join('\n'),
    );
    expectThat(account.invented.length === 0, `${account.invented.length} arrived that nobody sent`);
  }

  /** An orderly end, and a log that is whole behind it. @throws Broken */
  async finish(): Promise<Figures> {
    const { agent } = this;
    await this.settle();
    const code = await within(PATIENCE_MS, 'ends on SIGTERM', agent!.stop(), () => agent!.output());
    expectThat(code === 0, `SIGTERM ended it with ${code}`, agent!.output());
    await this.backend.stop();
    const damage: Damage[] = [];
    for (const directory of await logsIn(this.log)) damage.push(...(await verifyLog({ directory })).damage);
    const found = damage.map(({ message, file }) => `${file}: ${message}`).join('\n');
    expectThat(damage.length === 0, 'the log is whole', found);
    return this.figures();
  }

  figures(): Readonly<Record<string, number>> {
    const { acknowledged, refused, duplicates } = this.account;
    return { acknowledged, lost: this.account.collect(this.backend), duplicates, refused };
  }

  /** Lets go of everything, whatever state it is in. */
  async abandon(): Promise<void> {
    await this.agent?.kill();
    await this.backend.stop().catch(() => {});
  }
}
