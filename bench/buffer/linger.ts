// What lingering costs and saves: commits for each append, and how long an append waits to be durable, for senders of
// several kinds. Invariant: arrivals do not go by timers, which are a millisecond coarse, but by a loop that never sleeps.

import fs from 'node:fs';
import path from 'node:path';
import { type CommitOptions, Log, type Shard } from '../../buffer/index.ts';
import { show, spread } from '../figures.ts';
import type { Setting } from './figure.ts';
import { entriesOf } from './fill.ts';

interface Outcome {
  readonly commitsPerAppend: number;
  readonly latency_ms: number;
  readonly latency_ms_p99: number;
  readonly rate_per_s: number;
}

interface Load {
  readonly name: string;
  readonly duration_ms: number;
  readonly run: (sender: Sender, until_ms: number) => Promise<unknown>;
}

const LOADS: readonly Load[] = [
  { name: 'one sender, each append after the answer', duration_ms: 400, run: closedLoop(1, 0) },
  { name: '10 senders, 0–2 ms between answer and append', duration_ms: 600, run: closedLoop(10, 2) },
  { name: 'trickle, 100/s at random', duration_ms: 3000, run: openLoop(100) },
  { name: 'trickle, 1,000/s at random', duration_ms: 1500, run: openLoop(1000) },
  { name: '512 senders, each append after the answer', duration_ms: 400, run: closedLoop(512, 0) },
];
const LINGERS: readonly [name: string, commit: CommitOptions][] = [
  ['none', { linger_ms: 0 }],
  ['5 ms always', { linger_ms: 5 }],
  ['adaptive', {}],
];
const WEIGHTS = [0.3, 0.4, 0.5, 0.6, 0.7];

export async function measureLinger(setting: Setting): Promise<string> {
  const rows: string[] = [];
  for (const load of LOADS) {
    for (const [name, commit] of LINGERS) {
      const outcomes = await measure(setting, `${load.name}, linger ${name}`, load, 116, commit);
      rows.push(`| ${load.name} | ${name} | ${cells(outcomes)} |`);
    }
  }
  const weights: string[] = [];
  const load = { name: 'large entries', duration_ms: 1000, run: openLoop(2000) };
  for (const timeWeight of WEIGHTS) {
    const [time, fill] = [timeWeight, 1 - timeWeight].map((weight) => Math.round(weight * 100));
    const commit = { linger_ms: 5, timeWeight };
    const outcomes = await measure(setting, `weights ${time}/${fill}`, load, 16 * 1024, commit);
    weights.push(`| ${time} / ${fill} | ${cells(outcomes)} |`);
  }
  return `Entries of 116 B, one an append.

| senders | linger | commits per append | ms until durable, mean | ms, 99 % | appends a second |
|---|---|---|---|---|---|
${rows.join('\n')}

Weights of time and fill, at a linger of 5 ms: entries of 16 KiB, 2,000/s at random; a block counts as full at 256 KiB.

| time / fill | commits per append | ms until durable, mean | ms, 99 % | appends a second |
|---|---|---|---|---|
${weights.join('\n')}`;
}

async function measure(
  setting: Setting,
  what: string,
  load: Load,
  entry_bytes: number,
  commit: CommitOptions,
): Promise<Outcome[]> {
  const directory = path.join(setting.work, 'linger');
  const outcomes: Outcome[] = [];
  for (let round = 1; round <= setting.rounds; round++) {
    setting.progress(`${what}, round ${round}`);
    const log = await Log.open({ directory, commit });
    const shard = (await log.stream('bench')).shards[0]!;
    await load.run(new Sender(shard, entry_bytes), performance.now() + load.duration_ms / 4);
    const before = shard.stats().commits.commits;
    const sender = new Sender(shard, entry_bytes);
    const started_ms = performance.now();
    await load.run(sender, started_ms + load.duration_ms);
    const took_ms = performance.now() - started_ms;
    const { latencies_ms } = sender;
    latencies_ms.sort((a, b) => a - b);
    outcomes.push({
      commitsPerAppend: (shard.stats().commits.commits - before) / latencies_ms.length,
      latency_ms: latencies_ms.reduce((sum, one) => sum + one, 0) / latencies_ms.length,
      latency_ms_p99: latencies_ms[Math.floor(latencies_ms.length * 0.99)]!,
      rate_per_s: (latencies_ms.length * 1000) / took_ms,
    });
    await log.close();
    fs.rmSync(directory, { recursive: true });
  }
  return outcomes;
}

function cells(outcomes: readonly Outcome[]): string {
  const of = (value: (outcome: Outcome) => number, digits: number): string =>
    show(outcomes.map(value), digits);
  const rate = spread(outcomes.map((one) => one.rate_per_s)).median;
  return [
    of((one) => one.commitsPerAppend, 2),
    of((one) => one.latency_ms, 2),
    of((one) => one.latency_ms_p99, 1),
    Math.round(rate).toLocaleString('en-US'),
  ].join(' | ');
}

/** Appends, waits, and keeps how long that took. */
class Sender {
  readonly latencies_ms: number[] = [];
  readonly #shard: Shard;
  readonly #entry: readonly Buffer[];

  constructor(shard: Shard, entry_bytes: number) {
    this.#shard = shard;
    this.#entry = entriesOf(1, entry_bytes);
  }

  async send(): Promise<void> {
    const started_ms = performance.now();
    await this.#shard.durable(this.#shard.append(this.#entry));
    this.latencies_ms.push(performance.now() - started_ms);
  }
}

/** Senders that wait for each answer, and then up to `pause_ms` more. */
function closedLoop(senders: number, pause_ms: number): Load['run'] {
  return async (sender, until_ms) => {
    const one = async (): Promise<void> => {
      while (performance.now() < until_ms) {
        await sender.send();
        if (pause_ms > 0) await reached(performance.now() + Math.random() * pause_ms);
      }
    };
    await Promise.all(Array.from({ length: senders }, one));
  };
}

/** Senders that do not wait for each other's answers: a Poisson process. */
function openLoop(rate_per_s: number): Load['run'] {
  return async (sender, until_ms) => {
    const sent: Promise<void>[] = [];
    for (
      let at_ms = performance.now();
      at_ms < until_ms;
      at_ms += (-Math.log(Math.random()) * 1000) / rate_per_s
    ) {
      await reached(at_ms);
      sent.push(sender.send());
    }
    await Promise.all(sent);
  };
}

async function reached(at_ms: number): Promise<void> {
  while (performance.now() < at_ms) await new Promise((resolve) => setImmediate(resolve));
}
