// What the agent serves about itself: /metrics and health, each where the configuration says.
// Invariant: what it serves is asked for at the moment of the request; it knows nothing by itself.

import { randomUUID } from 'node:crypto';
import type { Logger } from '../../config/logger.ts';
import type { AgentConfig } from '../schema/agent_config.ts';
import { recordProcess } from '../telemetry/collect.ts';
import { createMetrics, METRICS_CONTENT_TYPE, type RecordMetric } from '../telemetry/metrics.ts';
import { type Condition, healthRoute } from './health.ts';
import { type AdminServer, type AdminServerOptions, startAdminServer } from './server.ts';

export interface AdminOptions {
  readonly config: AgentConfig;
  readonly version: string;
  readonly logger: Logger;
  /** Of each server. */
  readonly connectionsMax: number;
}

/** What is served. */
export interface Observed {
  condition(): Condition | Promise<Condition>;
  /** All counters but those of the process. */
  record(record: RecordMetric): void | Promise<void>;
}

export class Admin {
  /** `host:port` of /metrics and of each health_check by its id. */
  readonly addresses = new Map<string, string>();
  readonly #options: AdminOptions;
  readonly #startedAt_ms = Date.now();
  readonly #servers: AdminServer[] = [];
  #closeMetrics: () => Promise<void> = async () => {};

  constructor(options: AdminOptions) {
    this.#options = options;
  }

  /** @throws HoldfastError `HF_ADMIN_LISTEN`; what was opened before is closed by `close` */
  async serve(observed: Observed): Promise<void> {
    const { config, logger, version } = this.#options;
    for (const { id, endpoint, path } of config.healthChecks) {
      if (endpoint.kind !== 'tcp') continue;
      const route = healthRoute({ condition: () => observed.condition(), startedAt_ms: this.#startedAt_ms });
      await this.#serve(id, endpoint, new Map([[path, route]]));
    }
    if (!config.metrics) return;
    const instanceId = randomUUID();
    const metrics = createMetrics(async (record) => {
      recordProcess({ version, instanceId }, record);
      await observed.record(record);
    });
    this.#closeMetrics = () => metrics.close();
    const page = async () => ({
      status: 200,
      contentType: METRICS_CONTENT_TYPE,
      body: await metrics.render(),
    });
    await this.#serve('service.telemetry.metrics', config.metrics, new Map([['/metrics', page]]));
    logger.debug('metrics are served', { address: this.addresses.get('service.telemetry.metrics') });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#servers.map((server) => server.close()), this.#closeMetrics()]);
  }

  async #serve(
    name: string,
    { host, port }: { readonly host: string; readonly port: number },
    routes: AdminServerOptions['routes'],
  ): Promise<void> {
    const { connectionsMax, logger } = this.#options;
    const server = await startAdminServer({ name, host, port, routes, connectionsMax, logger });
    this.#servers.push(server);
    this.addresses.set(name, server.address);
  }
}
