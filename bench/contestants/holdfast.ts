// Holdfast as it is shipped (dist/), with its default promise: what it answers yes to is fsynced. Its disk budget is larger than
// the default, which holds no ten million spans.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command, Contestant, Setup, SyslogSetup } from './contestant.ts';

const main = fileURLToPath(new URL('../../dist/agent/main.js', import.meta.url));

export const holdfast: Contestant = {
  name: 'holdfast',
  title: 'Holdfast, every answer fsynced',
  missing: () => (fs.existsSync(main) ? undefined : 'dist/ is not built: npm run build'),
  otlp: (setup) => holdfastCommand(setup.directory, configuration(setup)),
  syslog: (setup) => holdfastCommand(setup.directory, relayConfiguration(setup)),
  mark: '"severityNumber":',
};

/** The same on two worker threads. */
export const holdfastOfTwo: Contestant = {
  ...holdfast,
  name: 'holdfast-2',
  title: 'Holdfast, two workers',
  otlp: (setup) => holdfastCommand(setup.directory, `${configuration(setup)}  workers: 2\n`),
};

/** Writes the configuration into `directory`, and runs what is shipped with it. */
export function holdfastCommand(directory: string, yaml: string): Command {
  const config = path.join(directory, 'holdfast.yaml');
  fs.writeFileSync(config, yaml);
  return {
    file: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', main, 'run', '--config', config],
    // What the launcher sets.
    env: { UV_THREADPOOL_SIZE: '8' },
  };
}

function configuration({ directory, httpPort, grpcPort, backends, gzip }: Setup): string {
  const ids = backends.map((_, index) => `otlp_http/${index}`);
  const compression = gzip ? 'gzip' : 'none';
  return `receivers:
  otlp:
    protocols:
      http: { endpoint: "127.0.0.1:${httpPort}" }
      grpc: { endpoint: "127.0.0.1:${grpcPort}" }
exporters:
${backends.map((url, index) => `  ${ids[index]}: { endpoint: "${url}", compression: ${compression} }`).join('\n')}
buffer: { directory: ${directory}/data, max_size: 16GiB }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [${ids.join(', ')}] }
    logs: { receivers: [otlp], exporters: [${ids.join(', ')}] }
`;
}

function relayConfiguration({ directory, port, out }: SyslogSetup): string {
  const [id, exporter] =
    'file' in out
      ? ['file', `{ path: ${out.file}, rotation: { max_megabytes: 100000 } }`]
      : ['otlp_http', `{ endpoint: "${out.url}", compression: none }`];
  return `receivers:
  syslog: { tcp: { listen_address: "127.0.0.1:${port}" } }
exporters:
  ${id}: ${exporter}
buffer: { directory: ${directory}/data, max_size: 16GiB }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    logs: { receivers: [syslog], exporters: [${id}] }
`;
}
