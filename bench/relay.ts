// Syslog lines over TCP through a contestant's queue on disk and out, into a file or to a backend. Invariant: the figures span from
// the first line until the last one has come out.

import path from 'node:path';
import { costs, type Figures } from './costs.ts';
import { FileCounter } from './file_counter.ts';
import type { SyslogLoad } from './load/syslog.ts';
import { processFigures } from './proc.ts';
import type { RelayScenario } from './scenario.ts';
import type { Stage } from './stage.ts';

const CONNECTIONS = 4;

/** What tells when lines have come out. */
interface Outlet {
  /** Resolves when so many lines more have come. */
  arrived(lines: number): Promise<unknown>;
}

export async function measureRelay(scenario: RelayScenario, stage: Stage): Promise<Figures> {
  const sender = stage.syslogSender();
  const { out, outlet } = scenario.out === 'file' ? toFile(stage) : await toBackend(stage);
  const running = await stage.startRelay(out);
  const load: SyslogLoad = {
    transport: 'tcp',
    form: 'rfc5424',
    port: running.port,
    lines: scenario.lines,
    connections: CONNECTIONS,
    rate: 0,
  };
  await outlet.arrived(await sender.send({ ...load, lines: scenario.warmLines }));
  const before = processFigures(running.pid);
  const started_ms = performance.now();
  const lines = await sender.send(load);
  await outlet.arrived(lines);
  const wall_ms = performance.now() - started_ms;
  const after = processFigures(running.pid);
  return {
    ...costs(before, after, lines, wall_ms),
    written_bytes_per_item: (after.written_bytes - before.written_bytes) / lines,
  };
}

function toFile(stage: Stage) {
  const file = path.join(stage.directory, 'out.log');
  const { mark } = stage.contestant;
  if (mark === undefined) throw new Error('nobody said how its lines are counted');
  return { out: { file }, outlet: new FileCounter(file, mark) satisfies Outlet };
}

async function toBackend(stage: Stage) {
  const sink = stage.sink();
  const outlet: Outlet = {
    async arrived(lines) {
      await sink.arrived(lines);
      sink.reset();
    },
  };
  return { out: { url: await sink.url(), linesPort: await sink.linesPort() }, outlet };
}
