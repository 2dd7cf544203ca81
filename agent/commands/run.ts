// `holdfast run`: start, say what runs, summarize every few seconds, stop.

import { formatProblem } from '../../config/problem.ts';
import type { Agent } from '../agent.ts';
import { curlLine } from '../first_steps.ts';
import { watchProcess } from '../lifecycle.ts';
import { watchLifeline } from '../lifeline.ts';
import { printProblems, type ReadFromOptions, readFromOptions } from '../read_config.ts';
import type { AgentConfig } from '../schema/agent_config.ts';
import { start } from '../start.ts';
import { startSummary } from '../summary_ticker.ts';
import { type AgentLogger, createLogger } from '../telemetry/logger.ts';
import { type Terminal, wantsColor } from '../terminal.ts';
import { readVersion } from '../version.ts';
import { type Command, configOptions, exitCode } from './command.ts';

export const command: Command = {
  description:
    'Runs the agent until SIGTERM or SIGINT; a second signal ends it at once. Logs go to stderr.\nWithout --config: OTLP on 127.0.0.1:4317 (gRPC) and :4318 (HTTP), syslog on :5514, logs over HTTP on :8088, kept in ./holdfast-data, written to a file.',
  options: configOptions,
  examples: [
    { line: 'holdfast', says: 'with the built-in configuration; prints how to send something' },
    { line: 'holdfast run --config /etc/holdfast/agent.yaml', says: 'with your own' },
    {
      line: 'holdfast run --config agent.yaml --set service.telemetry.logs.level=debug',
      says: 'with more to read',
    },
  ],
  async run(invocation, terminal) {
    const read = readFromOptions(invocation, terminal);
    const { config, problems } = read;
    if (!config) {
      printProblems(problems, terminal);
      return exitCode.failure;
    }
    const logger = loggerFor(config, terminal);
    logger.info('starting', {
      version: readVersion(),
      pid: process.pid,
      node: process.version,
      buffer: config.buffer.directory,
      ...(config.workers > 1 ? { workers: config.workers } : {}),
    });
    for (const problem of problems) logger.warn(formatProblem(problem));
    for (const note of read.notes) logger.info(note);
    return startAndStop(read, config, logger, terminal);
  },
};

async function startAndStop(
  read: ReadFromOptions,
  config: AgentConfig,
  logger: AgentLogger,
  terminal: Terminal,
): Promise<number> {
  const starting = start({ config, source: read.source!, version: readVersion(), logger });
  const lifeline = watchLifeline(terminal.env);
  const lifecycle = watchProcess({
    process,
    logger,
    timeout_ms: config.shutdown_timeout_ms,
    flush: () => logger.flush(),
    ...(lifeline ? { orphaned: lifeline.gone } : {}),
    stop: async (deadline) => {
      // A start that failed has let go of everything already.
      const agent = await starting.catch(() => undefined);
      await agent?.stop(deadline);
    },
  });
  try {
    const agent = await starting;
    logger.info('ready', { after_ms: Math.round(performance.now()) });
    if (read.isDefault) greet(agent, read, terminal);
    const interval_ms = config.summary_interval_ms;
    const summary = startSummary({ agent, interval_ms, logger, asText: consoleForm(config, terminal) });
    const code = await lifecycle.ended;
    summary.stop();
    logger.info('stopped', { exit_code: code });
    return code;
  } catch (error) {
    logger.error('the agent did not start', { error: describe(error) });
    return exitCode.failure;
  } finally {
    lifecycle.leave();
    lifeline?.close();
    logger.flush();
  }
}

function consoleForm({ logs }: AgentConfig, terminal: Terminal): boolean {
  return logs.encoding ? logs.encoding === 'console' : terminal.errIsTerminal;
}

function loggerFor(config: AgentConfig, terminal: Terminal): AgentLogger {
  return createLogger({
    level: config.logs.level,
    format: consoleForm(config, terminal) ? 'console' : 'json',
    color: wantsColor(terminal, terminal.errIsTerminal),
    write: (line) => terminal.err(line),
  });
}

/** For whoever starts it the first time: where things are, and a line to try. Not in the log, it is for people. */
function greet(agent: Agent, { config }: ReadFromOptions, terminal: Terminal): void {
  const doors = [...agent.endpoints].flatMap(([id, endpoints]) => endpoints.map((each) => ({ id, ...each })));
  const otlp = doors.find(({ id, protocol }) => id === 'otlp' && protocol === 'http');
  const lines = [
    '',
    'Holdfast is ready, with the built-in configuration (holdfast print-config shows it).',
    ...doors.map(({ id, protocol, address }) => `  ${doorName(id, protocol)}: ${address}`),
    `  kept in:        ${config?.buffer.directory}`,
    ...filesOf(config).map((file) => `  written to:     ${file}`),
    ...[...agent.admin].map(([name, address]) =>
      name === 'service.telemetry.metrics'
        ? `  metrics:        http://${address}/metrics`
        : `  health:         http://${address}`,
    ),
  ];
  if (otlp) lines.push('', 'Send something:', '', `  ${curlLine(otlp.address)}`, '');
  terminal.err(`${lines.join('\n')}\n`);
}

/** `OTLP over gRPC`, `logs over HTTP`, `syslog over TCP`. */
function doorName(id: string, protocol: string): string {
  const what = { otlp: 'OTLP', http: 'logs' }[id] ?? id;
  return `${what} over ${protocol.toUpperCase().replace('GRPC', 'gRPC')}`;
}

function filesOf(config: AgentConfig | undefined): string[] {
  const configs = config?.exporters.map((exporter) => exporter.config as { path?: unknown }) ?? [];
  return configs.flatMap(({ path }) => (typeof path === 'string' ? [path] : []));
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? ` (${String(error.code)})` : '';
  // What the house throws on purpose says enough; anything else needs to be found.
  return 'code' in error ? `${error.message}${code}` : (error.stack ?? error.message);
}
