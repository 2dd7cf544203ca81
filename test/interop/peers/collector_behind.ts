// The OpenTelemetry Collector behind Holdfast: what it understood of what our exporters sent, in each of their forms, it passes
// on to the backend. Half of the requests arrive compressed, so merged bodies and such as leave byte for byte both occur.

import { collector, missing } from '../installed.ts';
import type { Held, Peer } from '../peer.ts';
import { freePort, post, QUICK } from '../stage.ts';
import { everySignal } from '../telemetry.ts';

const REQUESTS = 40;
/** Of our exporters: type, and what is said to it besides the endpoint. */
const ways = [
  ['otlp_http', 'compression: none'],
  ['otlp_http', 'compression: gzip'],
  ['otlp_http', 'compression: gzip, batch: { passthrough_bytes: 1 }'],
  ['otlp_http', 'compression: zstd'],
  ['otlp_http', 'encoding: json, compression: gzip'],
  ['otlp_grpc', 'compression: none'],
  ['otlp_grpc', 'compression: gzip'],
  ['otlp_grpc', 'compression: gzip, batch: { passthrough_bytes: 1 }'],
  ['otlp_grpc', 'compression: zstd'],
] as const;

export const collectorBehind: Peer = {
  name: 'collector-behind',
  summary: "the OpenTelemetry Collector, taking what Holdfast's exporters send",
  missing: () => missing(collector),
  async run(stage) {
    const [http, grpc] = [await freePort(), await freePort()];
    const configuration = stage.write(
      'collector.yaml',
      `receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" }, grpc: { endpoint: "127.0.0.1:${grpc}" } } }
exporters:
  otlphttp: { endpoint: "${stage.backend.url}", compression: none }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [otlphttp] }
    metrics: { receivers: [otlp], exporters: [otlphttp] }
    logs: { receivers: [otlp], exporters: [otlphttp] }
`,
    );
    stage.start(collector.file, ['--config', configuration]);
    const agent = await stage.agent({
      receivers: ways
        .map((_, index) => `  otlp/${index}: { protocols: { http: { endpoint: "127.0.0.1:0" } } }`)
        .join('\n'),
      exporters: ways
        .map(([type, more], index) => {
          const endpoint = `http://127.0.0.1:${type === 'otlp_http' ? http : grpc}`;
          return `  ${type}/${index}: { endpoint: "${endpoint}", ${QUICK}, ${more} }`;
        })
        .join('\n'),
      pipelines: ways
        .flatMap(([type], index) =>
          ['traces', 'metrics', 'logs'].map(
            (signal) =>
              `    ${signal}/${index}: { receivers: [otlp/${index}], exporters: [${type}/${index}] }`,
          ),
        )
        .join('\n'),
    });
    const held: Held[] = [];
    for (const [index, [type, more]] of ways.entries()) {
      const mark = `behind${index}x`;
      const sent = everySignal(mark, REQUESTS);
      const line = agent.lines.find(
        ({ message, component }) => message === 'listening' && component === `otlp/${index}`,
      );
      const url = `http://${String(line?.['address']).replace('http://', '')}`;
      await post(
        url,
        sent.filter((_, nth) => nth % 2 === 0),
      );
      await post(
        url,
        sent.filter((_, nth) => nth % 2 === 1),
        true,
      );
      const way = `${type}, ${more}`;
      held.push({ way, compared: await stage.arrived(way, sent, mark) });
    }
    return held;
  },
};
