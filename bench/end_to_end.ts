// OTLP/HTTP in, fsynced on disk, OTLP/HTTP out: CPU of the agent per million spans, spans per second until the backend
// has the last one, and how long an acknowledgement takes. A fresh agent and an empty disk for every round.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort, Script, startAgent } from './children.ts';
import { SPANS_PER_REQUEST } from './load/payload.ts';
import { processFigures } from './proc.ts';

export interface Scenario {
  readonly name: string;
  readonly gzip: boolean;
}

export interface Round {
  readonly cpuSecondsPerMillion: number;
  readonly spansPerSecond: number;
  readonly ack_ms_p50: number;
  readonly ack_ms_p99: number;
  readonly rssIdle_bytes: number;
  readonly rssPeak_bytes: number;
  readonly writtenPerSpan_bytes: number;
  readonly ready_ms: number;
}

export async function measureRound(
  scenario: Scenario,
  requests: number,
  connections: number,
  workDirectory: string,
): Promise<Round> {
  const directory = fs.mkdtempSync(path.join(workDirectory, 'round-'));
  const logTo = fs.openSync(path.join(directory, 'agent.log'), 'w');
  const sink = new Script('sink');
  const generator = new Script('generator');
  try {
    const [{ port: sinkPort }] = await Promise.all([sink.message(), generator.message()]);
    const [otlp, health] = [await freePort(), await freePort()];
    const config = path.join(directory, 'config.yaml');
    fs.writeFileSync(config, configuration(directory, otlp, health, sinkPort!, scenario.gzip));
    const agent = await startAgent(config, `http://127.0.0.1:${health}/`, logTo);
    try {
      const url = `http://127.0.0.1:${otlp}`;
      // The first requests pay for compilation, which an agent that runs for months does not.
      const warm = await generator.load({ url, requests: 100, connections, gzip: scenario.gzip });
      await arrived(sink, warm.sentBytes);
      sink.send({ reset: true });
      const before = processFigures(agent.pid);
      const started = performance.now();
      const sent = await generator.load({ url, requests, connections, gzip: scenario.gzip });
      if (sent.refused > 0)
        throw new Error(`${sent.refused} requests were refused: see ${directory}/agent.log`);
      await arrived(sink, sent.sentBytes);
      const wall_s = (performance.now() - started) / 1000;
      const after = processFigures(agent.pid);
      const spans = requests * SPANS_PER_REQUEST;
      return {
        cpuSecondsPerMillion: ((after.cpu_s - before.cpu_s) / spans) * 1e6,
        spansPerSecond: spans / wall_s,
        ack_ms_p50: sent.ack_ms.p50,
        ack_ms_p99: sent.ack_ms.p99,
        rssIdle_bytes: before.rss_bytes,
        rssPeak_bytes: after.rssPeak_bytes,
        writtenPerSpan_bytes: (after.written_bytes - before.written_bytes) / spans,
        ready_ms: agent.ready_ms,
      };
    } finally {
      await agent.stop();
    }
  } finally {
    sink.stop();
    generator.stop();
    fs.closeSync(logTo);
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

async function arrived(sink: Script, bytes: number): Promise<void> {
  const done = sink.message();
  sink.send({ waitFor: bytes });
  await done;
}

/** Idle RSS and time to ready of an agent that has nothing to do. */
export async function measureIdle(workDirectory: string): Promise<{ rss_bytes: number; ready_ms: number }> {
  const directory = fs.mkdtempSync(path.join(workDirectory, 'idle-'));
  const logTo = fs.openSync(path.join(directory, 'agent.log'), 'w');
  try {
    const [otlp, health, backend] = [await freePort(), await freePort(), await freePort()];
    const config = path.join(directory, 'config.yaml');
    fs.writeFileSync(config, configuration(directory, otlp, health, backend, true));
    const agent = await startAgent(config, `http://127.0.0.1:${health}/`, logTo);
    const { rss_bytes } = processFigures(agent.pid);
    await agent.stop();
    return { rss_bytes, ready_ms: agent.ready_ms };
  } finally {
    fs.closeSync(logTo);
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

function configuration(directory: string, otlp: number, health: number, sink: number, gzip: boolean): string {
  return `receivers:
  otlp:
    protocols:
      http: { endpoint: 127.0.0.1:${otlp} }
exporters:
  otlp_http:
    endpoint: http://127.0.0.1:${sink}
    compression: ${gzip ? 'gzip' : 'none'}
extensions:
  health_check: { endpoint: 127.0.0.1:${health} }
buffer:
  directory: ${directory}/buffer
service:
  extensions: [health_check]
  telemetry:
    metrics: { level: none }
  pipelines:
    traces: { receivers: [otlp], exporters: [otlp_http] }
    metrics: { receivers: [otlp], exporters: [otlp_http] }
    logs: { receivers: [otlp], exporters: [otlp_http] }
`;
}

export function machine(): string {
  const [cpu] = os.cpus();
  const memory_GiB = Math.round(os.totalmem() / 2 ** 30);
  return `${os.cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${memory_GiB} GiB, ${os.type()} ${os.release()}, Node ${process.version}`;
}
