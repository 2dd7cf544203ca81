// Logs over HTTP in, fsynced on disk: MB of bodies per second and CPU of the agent per million records. A fresh agent and an
// empty disk for every round; a record counts when its answer came, which is after its group commit.

import fs from 'node:fs';
import path from 'node:path';
import { Pool } from 'undici';
import { freePorts, startContestant } from '../children.ts';
import { holdfastCommand } from '../contestants/holdfast.ts';
import { processFigures } from '../proc.ts';

export interface HttpScenario {
  readonly name: string;
  readonly path: string;
  readonly contentType: string;
}

export interface HttpRound {
  readonly cpuSecondsPerMillion: number;
  readonly megabytesPerSecond: number;
  readonly recordsPerSecond: number;
  readonly rssPeak_bytes: number;
  readonly writtenPerRecord_bytes: number;
}

/** Of about 300 bytes each: what a logger that ships in batches posts. */
export const RECORDS_PER_BODY = 500;
const CONNECTIONS = 8;
const WARM_BODIES = 200;
const START_MS = 1_780_000_000_000;

export async function measureHttp(
  scenario: HttpScenario,
  bodies: number,
  workDirectory: string,
): Promise<HttpRound> {
  const directory = fs.mkdtempSync(path.join(workDirectory, 'http-'));
  const logTo = fs.openSync(path.join(directory, 'agent.log'), 'w');
  try {
    const [port] = (await freePorts(1)) as [number];
    const url = `http://127.0.0.1:${port}`;
    const command = holdfastCommand(directory, configuration(directory, port));
    const agent = await startContestant(command, `${url}/health`, logTo);
    const pool = new Pool(url, { connections: CONNECTIONS, pipelining: 1 });
    try {
      const body = lines();
      // The first bodies pay for compilation, which an agent that runs for months does not.
      await post(pool, scenario, body, WARM_BODIES);
      const before = processFigures(agent.pid);
      const started = performance.now();
      await post(pool, scenario, body, bodies);
      const wall_s = (performance.now() - started) / 1000;
      const after = processFigures(agent.pid);
      const records = bodies * RECORDS_PER_BODY;
      return {
        cpuSecondsPerMillion: ((after.cpu_s - before.cpu_s) / records) * 1e6,
        megabytesPerSecond: (bodies * body.length) / 1e6 / wall_s,
        recordsPerSecond: records / wall_s,
        rssPeak_bytes: after.rssPeak_bytes,
        writtenPerRecord_bytes: (after.written_bytes - before.written_bytes) / records,
      };
    } finally {
      await pool.close();
      await agent.stop();
    }
  } finally {
    fs.closeSync(logTo);
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

async function post(pool: Pool, scenario: HttpScenario, body: Buffer, bodies: number): Promise<void> {
  const headers = { 'content-type': scenario.contentType };
  let left = bodies;
  const sender = async (): Promise<void> => {
    while (left-- > 0) {
      const answer = await pool.request({ method: 'POST', path: scenario.path, headers, body });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`${scenario.name}: ${answer.statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, sender));
}

function lines(): Buffer {
  const records = Array.from({ length: RECORDS_PER_BODY }, (_, index) => ({
    time: new Date(START_MS + index).toISOString(),
    level: 'info',
    message: `GET /orders/${index}/items finished with status 200`,
    service: 'checkout',
    trace_id: 'ab'.repeat(16),
    span_id: 'cd'.repeat(8),
    status: 200,
    took_ms: 12.5 + index,
    user: { id: index, tier: 'gold' },
    path: `/orders/${index}/items`,
  }));
  return Buffer.from(records.map((record) => JSON.stringify(record)).join('\n'));
}

function configuration(directory: string, port: number): string {
  return `receivers:
  http:
    endpoint: 127.0.0.1:${port}
    routes:
      - path: /whole
      - path: /picked
        body: message
        timestamp: { path: time }
        severity: { path: level }
        trace_id: trace_id
        span_id: span_id
        resource_attributes: { service.name: service }
exporters:
  nop:
buffer:
  directory: ${directory}/buffer
service:
  telemetry:
    metrics: { level: none }
  pipelines:
    logs: { receivers: [http], exporters: [nop] }
`;
}
