// A process that runs out of file descriptors while it serves: idle connections take all of them. Invariant: it does not end,
// loses nothing, and serves everybody again once the connections are gone.

import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { expectThat, type Outcome, type Scenario, within } from './scenario.ts';
import { PATIENCE_MS, Site } from './site.ts';

const LIMIT = 96;
const IDLE = 200;
const ROUNDS = 3;
const BUFFER = 'segment_size: 1MiB, segment_max_age: 1s, max_size: 256MiB, retention_interval: 100ms';

export const descriptors: Scenario = {
  name: 'descriptors',
  summary: 'EMFILE: idle connections take every file descriptor',
  async run(setting): Promise<Outcome> {
    if (process.platform !== 'linux') return { outcome: 'skipped', reason: 'needs /proc' };
    const through = ['bash', '-c', `ulimit -n ${LIMIT}; exec "$0" "$@"`];
    const site = await Site.create({ ...setting, launch: { ...setting.launch, through }, buffer: BUFFER });
    let open_max = 0;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        site.mood('reset', 503);
        const agent = await site.start();
        await site.account.load(agent, 20, () => {});
        const idle = await connect(agent.endpoint('http'));
        await site.account.attempt(agent, 200, () => {});
        open_max = Math.max(open_max, fs.readdirSync(`/proc/${agent.pid}/fd`).length);
        expectThat(agent.child.exitCode === null, 'it serves on without a descriptor left', agent.output());
        for (const socket of idle) socket.destroy();
        const again = site.account.load(agent, 50, () => {});
        await within(PATIENCE_MS, 'served once connections are gone', again, () => agent.output());
        await agent.kill();
        await site.start();
        await site.settle();
        await site.agent!.kill();
        setting.progress(`round ${round + 1} of ${ROUNDS}`);
      }
      await site.start();
      await site.finish();
      const figures = { rounds: ROUNDS, limit: LIMIT, open_max, ...site.figures() };
      return { outcome: 'held', figures };
    } finally {
      await site.abandon();
    }
  },
};

/** Connections that say nothing; those that the agent does not take are refused or wait, which is its right. */
async function connect(url: string): Promise<net.Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: IDLE }, () =>
    net.connect(Number(port), hostname).on('error', () => {}),
  );
  await Promise.all(
    sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {})),
  );
  return sockets;
}
