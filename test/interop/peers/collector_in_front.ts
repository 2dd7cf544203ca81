// The OpenTelemetry Collector in front of Holdfast, with its queue on disk: what it was given has to come out behind us, in each
// of the forms that its exporters speak.

import { collector, missing } from '../installed.ts';
import type { Held, Peer } from '../peer.ts';
import { freePort, post } from '../stage.ts';
import { everySignal } from '../telemetry.ts';

const REQUESTS = 40;
/** Of the Collector's exporters: type, and what is said to it besides the endpoint. */
const ways = [
  ['otlphttp', 'compression: none'],
  ['otlphttp', 'compression: gzip'],
  ['otlphttp', 'compression: zstd'],
  ['otlphttp', 'compression: deflate'],
  ['otlphttp', 'compression: zlib'],
  ['otlphttp', 'encoding: json, compression: gzip'],
  ['otlp', 'compression: none'],
  ['otlp', 'compression: gzip'],
  ['otlp', 'compression: zstd'],
] as const;

export const collectorInFront: Peer = {
  name: 'collector-in-front',
  summary: 'the OpenTelemetry Collector, its exporters sending to Holdfast',
  missing: () => missing(collector),
  async run(stage) {
    const agent = await stage.simpleAgent();
    const ports = await Promise.all(ways.map(() => freePort()));
    const exporters = ways.map(([type, more], index) => {
      const endpoint = type === 'otlp' ? agent.endpoint('grpc') : agent.endpoint('http');
      return `  ${type}/${index}: { endpoint: "${endpoint}", tls: { insecure: true }, sending_queue: { storage: file_storage }, ${more} }`;
    });
    const configuration = stage.write(
      'collector.yaml',
      `receivers:
${ports.map((port, index) => `  otlp/${index}: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } }`).join('\n')}
exporters:
${exporters.join('\n')}
extensions:
  file_storage: { directory: ${stage.directory}/collector, create_directory: true }
service:
  extensions: [file_storage]
  telemetry: { metrics: { level: none } }
  pipelines:
${ways
  .flatMap(([type], index) =>
    ['traces', 'metrics', 'logs'].map(
      (signal) => `    ${signal}/${index}: { receivers: [otlp/${index}], exporters: [${type}/${index}] }`,
    ),
  )
  .join('\n')}
`,
    );
    stage.start(collector.file, ['--config', configuration]);
    const held: Held[] = [];
    for (const [index, [type, more]] of ways.entries()) {
      const mark = `front${index}x`;
      const sent = everySignal(mark, REQUESTS);
      const url = `http://127.0.0.1:${ports[index]}`;
      await stage.until('the Collector listens', async () => (await fetch(url)).status > 0);
      await post(url, sent);
      const way = `${type}, ${more}`;
      held.push({ way, compared: await stage.arrived(way, sent, mark) });
    }
    return held;
  },
};
