// VictoriaMetrics behind Holdfast: metrics over OTLP, asked for with its query API.

import { missing, victoriaMetrics as program } from '../installed.ts';
import type { Peer } from '../peer.ts';
import { freePort, QUICK } from '../stage.ts';
import { compareMetrics } from './metric_backend.ts';

export const victoriaMetrics: Peer = {
  name: 'victoria-metrics',
  summary: 'VictoriaMetrics, behind',
  missing: () => missing(program),
  async run(stage) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    stage.start(program.file, [
      `-httpListenAddr=127.0.0.1:${port}`,
      `-storageDataPath=${stage.directory}/data`,
      // Samples are shown at once.
      '-search.latencyOffset=0s',
    ]);
    const agent = await stage.simpleAgent(
      `otlp_http: { metrics_endpoint: "${url}/opentelemetry/v1/metrics", ${QUICK} }`,
      ['metrics'],
    );
    return compareMetrics(stage, agent.endpoint('http'), url, 'vm', (metric) => metric);
  },
};
