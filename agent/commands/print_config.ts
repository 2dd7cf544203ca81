// `holdfast print-config`: the configuration as the agent understands it, as a file that would give it again.
// Invariant: no secret is printed; config/redact.ts sees every value together with its schema.

import { stringify } from 'yaml';
import { formatDuration } from '../../config/duration.ts';
import { redact } from '../../config/redact.ts';
import { printProblems, readFromOptions } from '../read_config.ts';
import type { AgentConfig } from '../schema/agent_config.ts';
import { bufferSchema } from '../schema/buffer.ts';
import { healthCheckSchema } from '../schema/extensions.ts';
import { type Command, configOptions, exitCode, jsonOption } from './command.ts';

export const command: Command = {
  description:
    'Prints the configuration after files are merged, references resolved and defaults filled in; secrets are hidden.\nPipelines show what runs: parts that are not needed here (batch, memory_limiter) are left out and named on stderr.',
  options: { ...configOptions, ...jsonOption },
  examples: [
    { line: 'holdfast print-config', says: 'the built-in configuration, a start for your own' },
    { line: 'holdfast print-config --config agent.yaml --set buffer.shards=4', says: 'what that would run' },
    { line: 'holdfast print-config --config agent.yaml --json', says: 'the same as JSON' },
  ],
  async run(invocation, terminal) {
    const { config, problems, notes } = readFromOptions(invocation, terminal);
    printProblems(problems, terminal);
    for (const note of notes) terminal.err(`note: ${note}\n`);
    if (!config) return exitCode.failure;
    const tree = printable(config);
    terminal.out(
      invocation.flag('json') ? `${JSON.stringify(tree, null, 2)}\n` : stringify(tree, { lineWidth: 0 }),
    );
    return exitCode.ok;
  },
};

/** In the shape of a configuration file. */
export function printable(config: AgentConfig): unknown {
  const byId = (
    list: readonly { id: string; config: unknown; factory: { schema: Parameters<typeof redact>[1] } }[],
  ) => Object.fromEntries(list.map((each) => [each.id, redact(each.config, each.factory.schema)]));
  const { metrics } = config;
  return {
    receivers: byId(config.receivers),
    exporters: byId(config.exporters),
    extensions: Object.fromEntries(
      config.healthChecks.map(({ id, ...check }) => [id, redact(check, healthCheckSchema)]),
    ),
    buffer: redact(config.buffer, bufferSchema),
    service: {
      extensions: config.healthChecks.map(({ id }) => id),
      pipelines: Object.fromEntries(
        config.pipelines.map(({ id, receivers, exporters }) => [id, { receivers, exporters }]),
      ),
      telemetry: {
        logs: config.logs,
        metrics: metrics
          ? { readers: [{ pull: { exporter: { prometheus: { host: metrics.host, port: metrics.port } } } }] }
          : { level: 'none' },
        summary_interval: formatDuration(config.summary_interval_ms),
      },
      shutdown_timeout: formatDuration(config.shutdown_timeout_ms),
      workers: config.workers,
    },
  };
}
