// An owner is stopped in the middle of its requests, its lock is deleted, and a second one starts; then the first goes on.
// Invariant: whatever either of them answered with success arrives, and the first answers nothing with success any more.

import fs from 'node:fs';
import path from 'node:path';
import { expectThat, type Outcome, type Scenario, within } from './scenario.ts';
import { PATIENCE_MS, Site } from './site.ts';

const ROUNDS = 6;
const ACKNOWLEDGED = 20;
const ATTEMPTS = 10;

export const stolenLock: Scenario = {
  name: 'stolen_lock',
  summary: 'a stopped owner whose lock was deleted goes on beside its successor',
  async run(setting): Promise<Outcome> {
    const site = await Site.create(setting);
    let refused = 0;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        refused += await succeeded(site);
        setting.progress(`round ${round + 1} of ${ROUNDS}`);
      }
      await site.start();
      await site.finish();
    } finally {
      await site.abandon();
    }
    const figures = { rounds: ROUNDS, refused_by_the_first: refused };
    return { outcome: 'held', figures: { ...figures, ...site.figures() } };
  },
};

/** Returns how many requests the first owner refused once it went on. */
async function succeeded(site: Site): Promise<number> {
  const { account } = site;
  const first = await site.start();
  let second = first;
  try {
    let loading: Promise<void> | undefined;
    const stopped = new Promise<void>((resolve) => {
      loading = account.load(first, ACKNOWLEDGED, () => {
        first.signal('SIGSTOP');
        resolve();
      });
    });
    await within(PATIENCE_MS, 'the first is stopped', stopped, () => first.output());
    for (const name of fs.readdirSync(site.log)) {
      if (name.startsWith('lock')) fs.rmSync(path.join(site.log, name));
    }
    second = await site.start();
    await account.load(second, ACKNOWLEDGED, () => {});
    first.signal('SIGCONT');
    await within(PATIENCE_MS, 'what the first was asked is answered', loading!, () => first.output());
    const before = account.acknowledged;
    let refused = 0;
    const attempts = account.attempt(first, ATTEMPTS, () => {
      refused += 1;
    });
    await within(PATIENCE_MS, 'the first answers', attempts, () => first.output());
    expectThat(account.acknowledged === before, 'the first acknowledges nothing any more', first.output());
    await first.kill();
    await site.settle();
    return refused;
  } finally {
    await first.kill();
    await second.kill();
  }
}
