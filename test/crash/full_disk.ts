// A file system without a free byte. Invariant: the agent says 429 or 503 and when to come back, never ends, goes on
// delivering and committing, starts again on the full disk, and takes requests once there is room, without being told.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { AgentProcess } from '../e2e/agent_process.ts';
import type { Refused } from '../e2e/content.ts';
import { expectThat, type Outcome, type Scenario, within } from './scenario.ts';
import { PATIENCE_MS, Site } from './site.ts';

const ROUNDS = 4;
const DISK = '12m';
const REFUSALS = 30;
const BUFFER = 'segment_size: 1MiB, max_size: 256MiB, min_free_space: 0B, retention_interval: 100ms';

export const fullDisk: Scenario = {
  name: 'full_disk',
  summary: 'a tmpfs without a free byte: refused with Retry-After, delivered, committed, healed',
  async run(setting): Promise<Outcome> {
    const directory = path.join(setting.directory, 'disk');
    fs.mkdirSync(directory);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', directory]);
    if (mounted.status !== 0) {
      return { outcome: 'skipped', reason: `no tmpfs: ${mounted.error?.message ?? String(mounted.stderr)}` };
    }
    const site = await Site.create({ ...setting, directory: path.join(directory, 'agent'), buffer: BUFFER });
    const work = new Work(site, path.join(directory, 'filler'));
    try {
      for (let round = 0; round < ROUNDS; round++) {
        await work.round();
        setting.progress(`round ${round + 1} of ${ROUNDS}`);
      }
      await site.start();
      await site.finish();
      const { refusals } = work;
      return { outcome: 'held', figures: { rounds: ROUNDS, refusals, ...site.figures() } };
    } finally {
      await site.abandon();
      spawnSync('umount', [directory]);
    }
  },
};

class Work {
  readonly refusals: Record<string, number> = {};
  readonly #site: Site;
  readonly #filler: string;

  constructor(site: Site, filler: string) {
    this.#site = site;
    this.#filler = filler;
  }

  async round(): Promise<void> {
    const site = this.#site;
    site.says(503);
    let agent = await site.start();
    await this.#untilFull(agent);
    this.#fill();
    await this.#untilFull(agent);
    // Killed and started again without a byte to write.
    await agent.kill();
    agent = await site.start();
    await this.#untilFull(agent);
    // What waits is delivered, and what is delivered is committed: an orderly stop, still full, sends nothing twice.
    await site.settle();
    this.#fill();
    const code = await within(PATIENCE_MS, 'ends on SIGTERM', agent.stop(), () => agent.output());
    expectThat(code === 0, `SIGTERM ended it with ${code}`, agent.output());
    const { duplicates } = site.account;
    agent = await site.start();
    fs.rmSync(this.#filler);
    await site.account.load(agent, 20, () => {});
    await site.settle();
    const again = site.account.duplicates - duplicates;
    expectThat(again === 0, `${again} requests were sent again after an orderly stop on a full disk`);
    await agent.kill();
  }

  /** Sends until the disk has refused often enough, each time as a client can understand. */
  async #untilFull(agent: AgentProcess): Promise<void> {
    let refused = 0;
    while (refused < REFUSALS) {
      await this.#site.account.attempt(agent, REFUSALS, (answer) => {
        refused += 1;
        this.#judge(agent, answer);
      });
    }
  }

  #judge(agent: AgentProcess, { status, retryAfter_s }: Refused): void {
    this.refusals[status] = (this.refusals[status] ?? 0) + 1;
    const understood = (status === 429 || status === 503) && (retryAfter_s ?? 0) >= 1;
    expectThat(
      understood,
      `a full disk was answered with ${status}, Retry-After ${retryAfter_s}`,
      agent.output(),
    );
  }

  /** Takes what is free, to the last byte. */
  #fill(): void {
    const file = fs.openSync(this.#filler, 'a');
    for (let bytes = 1024 * 1024; bytes >= 1; ) {
      try {
        if (fs.writeSync(file, Buffer.alloc(bytes)) === bytes) continue;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
      bytes = Math.floor(bytes / 2);
    }
    fs.closeSync(file);
  }
}
