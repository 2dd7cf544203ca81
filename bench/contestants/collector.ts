// The OpenTelemetry Collector with its queue on disk (without fsync, its default, and with) and in memory. Invariant: it never
// refuses for a full queue and never gives up, so that all contestants do the same work.

import fs from 'node:fs';
import path from 'node:path';
import { collector as program } from '../../test/interop/installed.ts';
import type { Contestant, ContestantName, Setup } from './contestant.ts';

type Queue = 'memory' | 'disk' | 'disk with fsync';

export const collector = ofQueue('collector', 'Collector, disk, no fsync (its default)', 'disk');
export const collectorFsync = ofQueue('collector-fsync', 'Collector, disk, fsync', 'disk with fsync');
export const collectorMemory = ofQueue('collector-memory', 'Collector, memory only', 'memory');
export const install = program.install;

function ofQueue(name: ContestantName, title: string, queue: Queue): Contestant {
  return {
    name,
    title,
    missing: () =>
      fs.existsSync(program.file)
        ? undefined
        : 'the Collector is not built: npm run bench:peers -- --install',
    otlp(setup) {
      const config = path.join(setup.directory, 'collector.yaml');
      fs.writeFileSync(config, configuration(setup, queue));
      return { file: program.file, args: ['--config', config] };
    },
  };
}

function configuration(setup: Setup, queue: Queue): string {
  const { directory, httpPort, grpcPort, backends, gzip, merge } = setup;
  const ids = backends.map((_, index) => `otlp_http/${index}`);
  const storage = queue === 'memory' ? '' : 'storage: file_storage, ';
  // Behind the queue, so that what was answered is in the queue; the limits are Holdfast's.
  const batch = merge
    ? ', batch: { flush_timeout: 200ms, sizer: items, min_size: 2048, max_size: 8192 }'
    : '';
  const exporter = (url: string, index: number): string => `  ${ids[index]}:
    endpoint: "${url}"
    compression: ${gzip ? 'gzip' : 'none'}
    retry_on_failure: { max_elapsed_time: 0 }
    sending_queue: { ${storage}queue_size: 1000000${batch} }`;
  const extension =
    queue === 'memory'
      ? ''
      : `extensions:
  file_storage: { directory: ${directory}/data, create_directory: true, fsync: ${queue === 'disk with fsync'} }
`;
  return `receivers:
  otlp:
    protocols:
      http: { endpoint: "127.0.0.1:${httpPort}" }
      grpc: { endpoint: "127.0.0.1:${grpcPort}" }
exporters:
${backends.map(exporter).join('\n')}
${extension}service:
${queue === 'memory' ? '' : '  extensions: [file_storage]\n'}  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [${ids.join(', ')}] }
    logs: { receivers: [otlp], exporters: [${ids.join(', ')}] }
`;
}
