// `npm run bench:model`: what each step of a 512-span request's way costs by itself, and how the steps sum to what the agent
// takes, into bench/MODEL.md. Invariant: every step handles the same bodies, and its CPU is that of this process alone.

import '../agent/young_generation.ts';
import { once } from 'node:events';
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, gunzipSync } from 'node:zlib';
import { Pool } from 'undici';
import { walk } from '../otlp/walk.ts';
import { Generator, Sink } from './children.ts';
import { holdfast } from './contestants/holdfast.ts';
import { show, spread } from './figures.ts';
import { bodiesOf } from './load/bodies.ts';
import { machine } from './machine.ts';
import { measure } from './measure.ts';
import { readOptions } from './options.ts';
import { table } from './report/tables.ts';
import { scenarios } from './scenario.ts';

const ITEMS = 512;
const REQUESTS = 400;
const CONNECTIONS = 8;

interface Step {
  readonly name: string;
  /** In whose way it lies. */
  readonly plain: boolean;
  readonly gzip: boolean;
  /** What sets its limit. */
  readonly limit: string;
  /** Does it for REQUESTS requests. */
  run(): Promise<void>;
}

const options = readOptions(
  `Usage: npm run bench:model -- [options]

Measures the steps of a 512-span request one by one and writes bench/MODEL.md; --scenarios means nothing here. Takes a minute.`,
  5,
  { dry: 'print the model instead of writing it' },
);
const work = fileURLToPath(new URL('.work/model', import.meta.url));
fs.mkdirSync(work, { recursive: true });
const plain = bodiesOf('spans', false).map(({ bytes }) => bytes);
const zipped = bodiesOf('spans', true).map(({ bytes }) => bytes);
const generator = new Generator();
const sink = new Sink();
const file = await open(path.join(work, 'model.log'), 'w+');
const block = Buffer.alloc(1 << 20);

const steps: readonly Step[] = [
  socketRead('read from the socket, parse HTTP, answer', false),
  socketRead('read from the socket, parse HTTP, answer, compressed', true),
  inTurn(
    'decompress',
    zipped,
    'zlib',
    { gzip: true },
    (body) => void gunzipSync(body, { chunkSize: 1 << 20 }),
  ),
  inTurn(
    'walk the wire',
    plain,
    'one load per tag',
    { plain: true, gzip: true },
    (body) => void walk('traces', body),
  ),
  inTurn('checksum', plain, 'zlib.crc32', { plain: true }, (body) => void crc32(body)),
  inTurn('checksum, compressed', zipped, 'zlib.crc32', { gzip: true }, (body) => void crc32(body)),
  inTurn('copy into the block', plain, 'memory', { plain: true }, (body) => void body.copy(block)),
  inTurn(
    'copy into the block, compressed',
    zipped,
    'memory',
    { gzip: true },
    (body) => void body.copy(block),
  ),
  commit('write and sync', plain, { plain: true }),
  commit('write and sync, compressed', zipped, { gzip: true }),
  send('send and take the answer', false),
  send('send and take the answer, compressed', true),
];

const measured = new Map<string, number[]>(steps.map(({ name }) => [name, []]));
const wholes: Record<'plain' | 'gzip', number[]> = { plain: [], gzip: [] };
try {
  for (let round = 0; round <= options.rounds; round++) {
    for (const step of steps) {
      const before = process.cpuUsage();
      await step.run();
      const { user, system } = process.cpuUsage(before);
      // The first round compiles.
      if (round > 0) measured.get(step.name)!.push((user + system) / REQUESTS);
    }
    if (round === 0) continue;
    for (const way of ['plain', 'gzip'] as const) {
      const scenario = scenarios.find(({ name }) => name === way)!;
      const figures = await measure(scenario, holdfast, work);
      wholes[way].push(figures['cpu_s_per_million']! * ITEMS);
    }
    console.error(`round ${round}/${options.rounds}`);
  }
} finally {
  generator.stop();
  sink.stop();
  await file.close();
  fs.rmSync(work, { recursive: true, force: true });
}
const report = render();
if (options.write) fs.writeFileSync(new URL('MODEL.md', import.meta.url), report);
else console.log(report);

function inTurn(
  name: string,
  bodies: readonly Buffer[],
  limit: string,
  ways: { plain?: boolean; gzip?: boolean },
  one: (body: Buffer) => void,
): Step {
  return {
    name,
    limit,
    plain: ways.plain ?? false,
    gzip: ways.gzip ?? false,
    async run() {
      for (let index = 0; index < REQUESTS; index++) one(bodies[index % bodies.length]!);
    },
  };
}

/** A server that does nothing but read and answer. */
function socketRead(name: string, gzip: boolean): Step {
  return {
    name,
    limit: 'a copy out of the kernel, the parser, one answer',
    plain: !gzip,
    gzip,
    async run() {
      const server = createServer((request, response) => {
        request.resume().on('end', () => response.writeHead(200, { 'content-length': 0 }).end());
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await generator.load({
        url,
        protocol: 'http',
        body: 'spans',
        gzip,
        connections: CONNECTIONS,
        requests: REQUESTS,
      });
      await once(server.close(), 'close');
    },
  };
}

/** One group commit for as many requests as there are connections, as under full load. */
function commit(name: string, bodies: readonly Buffer[], ways: { plain?: boolean; gzip?: boolean }): Step {
  return {
    name,
    limit: 'the page cache and the device',
    plain: ways.plain ?? false,
    gzip: ways.gzip ?? false,
    async run() {
      await file.truncate(0);
      for (let index = 0; index < REQUESTS; index += CONNECTIONS) {
        const together = Array.from({ length: CONNECTIONS }, (_, n) => bodies[(index + n) % bodies.length]!);
        await file.writev(together);
        await file.datasync();
      }
    },
  };
}

function send(name: string, gzip: boolean): Step {
  return {
    name,
    limit: 'a copy into the kernel, one answer parsed',
    plain: !gzip,
    gzip,
    async run() {
      const pool = new Pool(await sink.url(), { connections: 1, pipelining: 1 });
      const headers = gzip ? { 'content-encoding': 'gzip' } : {};
      const bodies = gzip ? zipped : plain;
      for (let index = 0; index < REQUESTS; index++) {
        const body = bodies[index % bodies.length]!;
        const answer = await pool.request({ method: 'POST', path: '/v1/traces', headers, body });
        await answer.body.dump();
      }
      await pool.close();
    },
  };
}

function render(): string {
  const sections = (['plain', 'gzip'] as const).map((way) => {
    const chosen = steps.filter((step) => step[way]);
    const median = (name: string): number => spread(measured.get(name)!).median;
    const sum = chosen.reduce((total, { name }) => total + median(name), 0);
    const whole = spread(wholes[way]).median;
    const rows = chosen.map(({ name, limit }) => [
      name,
      show(measured.get(name)!, 0),
      `${Math.round((median(name) / whole) * 100)} %`,
      limit,
    ]);
    const rest = whole - sum;
    return `## 512-span requests, ${way}

${table(
  ['step', 'µs of CPU per request', 'share', 'limit'],
  [
    ...rows,
    ['**sum of the steps**', sum.toFixed(0), `${Math.round((sum / whole) * 100)} %`, ''],
    ['**the agent**', show(wholes[way], 0), '100 %', ''],
    [
      'between them',
      rest.toFixed(0),
      `${Math.round((rest / whole) * 100)} %`,
      'pipeline, log, drain loop, collector of garbage',
    ],
  ],
)}
`;
  });
  return `# What a request costs

Generated by \`npm run bench:model\` (${options.rounds} rounds) on ${new Date().toISOString().slice(0, 10)}; nothing is typed by hand. Machine: ${machine()}.
Each step was measured by itself: CPU of the process that does it, user and system, all threads, median (minimum–maximum). The whole is the agent under full load in the same rounds. Nothing is read back from the disk: what is drained at once comes from the hot tail. The steps are what Node and the kernel charge for them; below their sum the agent can come only by doing less of them.

${sections.join('\n')}`;
}
