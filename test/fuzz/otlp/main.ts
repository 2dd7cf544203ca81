// Mutated requests by the hundred thousand against both protocols of the OTLP receiver (`npm run fuzz:otlp`): the process
// stays up, every refusal is a Status, and valid traffic is taken all the while.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { besiegeGrpc, besiegeHttp, type Tally } from './siege.ts';

const USAGE = `npm run fuzz:otlp -- [options]

  --seed N        of the first request; each has a seed of its own. Default: the time, printed
  --requests N    per protocol; default 100000
  --protocol P    http, grpc or both (default)
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    requests: { type: 'string', default: '100000' },
    protocol: { type: 'string', default: 'both' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const requests = Number(values.requests);
process.stdout.write(`SEED=${seed}\n`);

const target = fork(new URL('./target.ts', import.meta.url), {
  execArgv: ['--disable-warning=ExperimentalWarning'],
});
let ended = false;
target.on('exit', (code, signal) => {
  ended = true;
  process.stdout.write(`the receiver ended with ${code ?? signal}\n`);
});
const [{ port, grpcPort }] = (await once(target, 'message')) as [{ port: number; grpcPort: number }];

async function report(protocol: string, siege: Promise<Tally>): Promise<void> {
  const { answers, valid, raw } = await siege;
  const counts = [...answers].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  target.send('memory');
  const [{ rss_bytes }] = (await once(target, 'message')) as [{ rss_bytes: number }];
  process.stdout.write(
    `${protocol}: ${requests} damaged requests (${counts.join(', ')}; ${raw} without a whole head), ${valid} valid ones between them all taken, ${Math.round(rss_bytes / 2 ** 20)} MiB\n`,
  );
}

try {
  if (values.protocol !== 'grpc') await report('http', besiegeHttp(port, { seed, requests }));
  if (values.protocol !== 'http') await report('grpc', besiegeGrpc(grpcPort, { seed, requests }));
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
if (ended) process.exitCode = 1;
target.removeAllListeners('exit');
target.disconnect();
