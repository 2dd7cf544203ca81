// One scenario measured once on one contestant: a fresh process and an empty disk, warmed up, then the work. Invariant: the
// figures span exactly the work, from the first request to the moment when every backend has the last item.

import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from './children.ts';
import type { Contestant } from './contestants/contestant.ts';
import { costs, type Figures } from './costs.ts';
import type { LoadResult } from './load/generator.ts';
import { processFigures } from './proc.ts';
import { measureRelay } from './relay.ts';
import {
  type BacklogScenario,
  type IdleScenario,
  type LoadScenario,
  type Scenario,
  WARM_BACKEND_REQUESTS,
} from './scenario.ts';
import { Stage } from './stage.ts';

/**
 * The first requests pay for compilation, which an agent that runs for months does not: so many until one costs what the
 * next one does. Of 512 spans the first 800, the next ones, and so on took 930, 585, 590, 492, 476 and 478 µs of CPU each. Of small
 * ones after 24,000, 48,000, 96,000 and 192,000 others: over 4 connections 95, 88, 71 and 70 µs, over 16 45, 43, 42 and 40, over 64
 * 36, 34, 33 and 32. What runs once a commit is compiled last. Every contestant gets as many, as fast as it answers.
 */
const WARM_REQUESTS = { large: 2400, few: 96_000 };
/**
 * Then so many at a pace, where the work comes at one: whoever sleeps between requests goes other ways through his code than one who
 * is never done. At 78 a second the first 400 took 970 µs of CPU each, the next ones 830, 800, 820, 840 and 790.
 */
const WARM_PACED = { requests: 800, requestsPerSecond: 100 };
/** From the first answer until nothing is left to start: workers after the first one, say. */
const COME_TO_REST_MS = 2000;
/** What is consumed leaves the disk soon after, not at once: Holdfast ends a consumed segment when it was idle for ten seconds. */
const TIDY_UP_MS = 15_000;

/** @throws Error saying what went wrong, with the end of what the contestant said */
export async function measure(scenario: Scenario, contestant: Contestant, work: string): Promise<Figures> {
  const directory = fs.mkdtempSync(path.join(work, 'round-'));
  const output = path.join(directory, 'output.txt');
  const logTo = fs.openSync(output, 'a');
  const stage = new Stage(contestant, directory, logTo);
  try {
    if (scenario.kind === 'load') return await measureLoad(scenario, stage);
    if (scenario.kind === 'backlog') return await measureBacklog(scenario, stage);
    if (scenario.kind === 'syslog') return await measureRelay(scenario, stage);
    return await measureIdle(scenario, stage);
  } catch (cause) {
    const said = fs.readFileSync(output, 'utf8').slice(-1000);
    throw new Error(`${cause instanceof Error ? cause.message : cause}\n${said}`.trim(), { cause });
  } finally {
    await stage.clear();
    fs.closeSync(logTo);
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

async function measureLoad(scenario: LoadScenario, stage: Stage): Promise<Figures> {
  const { load } = scenario;
  const generator = stage.generator();
  const [deadPort] = await freePorts(1);
  const sinks = scenario.backends.map((state) => (state === 'up' ? stage.sink() : undefined));
  const backends = await Promise.all(sinks.map((sink) => sink?.url() ?? `http://127.0.0.1:${deadPort}`));
  const arrived = ({ sentItems }: LoadResult): Promise<unknown> =>
    Promise.all(sinks.map((sink) => sink?.arrived(sentItems)));
  const few = load.body === 'few spans';
  const running = await stage.start({ backends, gzip: load.gzip, merge: few });
  const url = running.urls[load.protocol];
  const { requestsPerSecond, ...asFast } = load;
  const requests = scenario.warmRequests ?? WARM_REQUESTS[few ? 'few' : 'large'];
  const warmUps = [{ requests }, ...(requestsPerSecond === undefined ? [] : [WARM_PACED])];
  for (const warmUp of warmUps) {
    await arrived(await generator.load({ ...asFast, ...warmUp, url }));
    for (const sink of sinks) sink?.reset();
  }
  const before = processFigures(running.pid);
  const started_ms = performance.now();
  const sent = await generator.load({ ...load, url });
  await arrived(sent);
  const wall_ms = performance.now() - started_ms;
  const after = processFigures(running.pid);
  return {
    ...costs(before, after, sent.sentItems, wall_ms),
    ack_ms_p50: sent.ack_ms.p50,
    ack_ms_p99: sent.ack_ms.p99,
    written_bytes_per_item: (after.written_bytes - before.written_bytes) / sent.sentItems,
  };
}

/** Filled while the backend is away, stopped, then started cold with the backend there. */
async function measureBacklog(scenario: BacklogScenario, stage: Stage): Promise<Figures> {
  const { load } = scenario;
  const generator = stage.generator();
  const sink = stage.sink();
  const [deadPort] = await freePorts(1);
  const filled = await stage.start({
    backends: [`http://127.0.0.1:${deadPort}`],
    gzip: load.gzip,
    merge: false,
  });
  const { sentItems } = await generator.load({ ...load, url: filled.urls[load.protocol] });
  await filled.stop();
  await generator.load({ ...load, requests: WARM_BACKEND_REQUESTS, url: await sink.url() });
  sink.reset();
  const started_ms = performance.now();
  const running = await stage.start({ backends: [await sink.url()], gzip: load.gzip, merge: false });
  await sink.arrived(sentItems);
  const wall_ms = performance.now() - started_ms;
  const after = processFigures(running.pid);
  await pause(TIDY_UP_MS);
  return {
    ...costs({ cpu_s: 0, written_bytes: 0, rss_bytes: 0, rssPeak_bytes: 0 }, after, sentItems, wall_ms),
    ready_ms: running.ready_ms,
    left_bytes: sizeOf(path.join(stage.directory, 'data')),
  };
}

async function measureIdle(scenario: IdleScenario, stage: Stage): Promise<Figures> {
  const sink = stage.sink();
  const running = await stage.start({ backends: [await sink.url()], gzip: true, merge: false });
  await pause(COME_TO_REST_MS);
  const before = processFigures(running.pid);
  await pause(scenario.lasts_ms);
  const after = processFigures(running.pid);
  return {
    rss_bytes: after.rss_bytes,
    cpu_percent: ((after.cpu_s - before.cpu_s) / (scenario.lasts_ms / 1000)) * 100,
    ready_ms: running.ready_ms,
  };
}

/** Bytes that the files below a folder take on disk. */
function sizeOf(directory: string): number {
  let bytes = 0;
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += fs.statSync(path.join(entry.parentPath, entry.name)).blocks * 512;
  }
  return bytes;
}
