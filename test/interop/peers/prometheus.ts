// Prometheus behind Holdfast: metrics over OTLP, asked for with its query API under the names that it makes of ours.

import { missing, prometheus as program } from '../installed.ts';
import type { Peer } from '../peer.ts';
import { freePort, QUICK } from '../stage.ts';
import { compareMetrics } from './metric_backend.ts';

/** Prometheus puts unit and kind into the name. */
const suffixes = { gauge: '_celsius', sum: '_total', histogram: '_milliseconds' } as const;

export const prometheus: Peer = {
  name: 'prometheus',
  summary: 'Prometheus, behind',
  missing: () => missing(program),
  async run(stage) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const configuration = stage.write(
      'prometheus.yaml',
      'storage: { tsdb: { out_of_order_time_window: 1h } }\n',
    );
    stage.start(program.file, [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${stage.directory}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-otlp-receiver',
    ]);
    const agent = await stage.simpleAgent(
      `otlp_http: { metrics_endpoint: "${url}/api/v1/otlp/v1/metrics", ${QUICK} }`,
      ['metrics'],
    );
    return compareMetrics(
      stage,
      agent.endpoint('http'),
      url,
      'prom',
      (metric, kind) => `${metric}${suffixes[kind]}`,
    );
  },
};
