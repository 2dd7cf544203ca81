// What of the configuration is of the whole agent, as one worker's share of it. Invariant: the shares add up to what the user
// wrote; the memory and the disk of the log are divided where the log is opened (log_options.ts, SharedDisk).

import type { AgentConfig } from '../schema/agent_config.ts';

export function shareOf(config: AgentConfig, count: number): AgentConfig {
  const exporters = config.exporters.map((exporter) => {
    const { rate_limit_bytes_per_s } = exporter.drain;
    return {
      ...exporter,
      drain: { ...exporter.drain, rate_limit_bytes_per_s: Math.ceil(rate_limit_bytes_per_s / count) },
    };
  });
  return { ...config, exporters };
}
