// Syslog in, fsynced on disk: lines per second and CPU of the agent per million lines. A fresh agent and an empty disk for every
// round; a line counts when the agent's own metrics say that its commit is done.

import fs from 'node:fs';
import path from 'node:path';
import { freePorts, SyslogSender, startContestant } from '../children.ts';
import { holdfastCommand } from '../contestants/holdfast.ts';
import type { SyslogLoad } from '../load/syslog.ts';
import { processFigures } from '../proc.ts';

export interface SyslogScenario {
  readonly name: string;
  readonly transport: 'tcp' | 'udp';
  readonly form: 'rfc5424' | 'rfc3164';
}

export interface SyslogRound {
  readonly cpuSecondsPerMillion: number;
  readonly linesPerSecond: number;
  /** Of a million sent, not stored: the kernel's drops and the agent's. */
  readonly lostPerMillion: number;
  readonly rssPeak_bytes: number;
  readonly writtenPerLine_bytes: number;
}

const WARM_LINES = 100_000;
const CONNECTIONS = 4;

export async function measureSyslog(
  scenario: SyslogScenario,
  lines: number,
  rate: number,
  workDirectory: string,
): Promise<SyslogRound> {
  const directory = fs.mkdtempSync(path.join(workDirectory, 'syslog-'));
  const logTo = fs.openSync(path.join(directory, 'agent.log'), 'w');
  const sender = new SyslogSender();
  try {
    const [port, metrics] = (await freePorts(2)) as [number, number];
    const command = holdfastCommand(directory, configuration(directory, port, metrics));
    const agent = await startContestant(command, `http://127.0.0.1:${metrics}/metrics`, logTo);
    try {
      const { transport, form } = scenario;
      const load: SyslogLoad = { transport, form, port, lines, connections: CONNECTIONS, rate };
      // The first lines pay for compilation, which an agent that runs for months does not.
      const warm = await sender.send({ ...load, lines: WARM_LINES });
      const stored = await settled(metrics, warm);
      const before = processFigures(agent.pid);
      const started = performance.now();
      const sent = await sender.send(load);
      const all = await settled(metrics, warm + sent);
      const wall_s = (performance.now() - started) / 1000;
      const after = processFigures(agent.pid);
      const accepted = all.accepted - stored.accepted;
      return {
        cpuSecondsPerMillion: ((after.cpu_s - before.cpu_s) / accepted) * 1e6,
        linesPerSecond: accepted / wall_s,
        lostPerMillion: ((sent - accepted) / sent) * 1e6,
        rssPeak_bytes: after.rssPeak_bytes,
        writtenPerLine_bytes: (after.written_bytes - before.written_bytes) / accepted,
      };
    } finally {
      await agent.stop();
    }
  } finally {
    sender.stop();
    fs.closeSync(logTo);
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

/** Once every line is stored or counted as lost. */
async function settled(metrics: number, lines: number): Promise<{ accepted: number; refused: number }> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
    const accepted = sumOf(text, 'otelcol_receiver_accepted_log_records');
    const refused = sumOf(text, 'otelcol_receiver_refused_log_records');
    if (accepted + refused >= lines) return { accepted, refused };
    if (performance.now() > deadline) throw new Error(`${accepted} of ${lines} lines, ${refused} refused`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function sumOf(text: string, name: string): number {
  const rows = text.matchAll(new RegExp(`^${name}(?:_total)?\\{[^}]*\\} (\\d+)`, 'gm'));
  return [...rows].reduce((sum, row) => sum + Number(row[1]), 0);
}

function configuration(directory: string, port: number, metrics: number): string {
  return `receivers:
  syslog:
    tcp: { listen_address: 127.0.0.1:${port} }
    udp: { listen_address: 127.0.0.1:${port} }
exporters:
  nop:
buffer:
  directory: ${directory}/buffer
service:
  telemetry:
    metrics: { level: normal, address: 127.0.0.1:${metrics} }
  pipelines:
    logs: { receivers: [syslog], exporters: [nop] }
`;
}
