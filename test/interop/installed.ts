// The programs of others: which versions, how each gets onto this machine, and where it is then. Invariant: nothing is
// installed outside of one folder, $HOLDFAST_INTEROP_CACHE or ~/.cache/holdfast-interop.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const COLLECTOR = 'v0.160.0';
/** Of the same release. */
const PDATA = 'v1.66.0';
const JAVA_SDK = '1.56.0';
/** The last that holds the logs server too. */
const VICTORIA = 'v1.117.0';
const PROMETHEUS = 'v0.313.5';

export const cache =
  process.env['HOLDFAST_INTEROP_CACHE'] ?? path.join(os.homedir(), '.cache/holdfast-interop');
const bin = path.join(cache, 'bin');

/** One package at a time, for others want the cores too. */
const goEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  GOFLAGS: '-p=1 -buildvcs=false -trimpath -mod=mod',
  CGO_ENABLED: '0',
};

export interface Program {
  readonly name: string;
  readonly file: string;
  readonly install: () => void;
}

const CONTRIB = 'github.com/open-telemetry/opentelemetry-collector-contrib';
const VICTORIA_MODULE = 'github.com/VictoriaMetrics/VictoriaMetrics';

export const telemetrygen = fromGo('telemetrygen', `${CONTRIB}/cmd/telemetrygen`, COLLECTOR);
export const victoriaLogs = fromGo('victoria-logs', VICTORIA_MODULE, VICTORIA, '/app/victoria-logs');
export const victoriaMetrics = fromGo('victoria-metrics', VICTORIA_MODULE, VICTORIA, '/app/victoria-metrics');
export const prometheus = fromGo(
  'prometheus',
  'github.com/prometheus/prometheus',
  PROMETHEUS,
  '/cmd/prometheus',
  // Without service discovery, which is most of it.
  ['-tags=remove_all_sd'],
);

export const collector: Program = {
  name: 'otelcol',
  file: path.join(bin, 'otelcol'),
  install() {
    const builder = fromGo('builder', 'go.opentelemetry.io/collector/cmd/builder', COLLECTOR);
    builder.install();
    const directory = path.join(cache, 'otelcol');
    fs.mkdirSync(directory, { recursive: true });
    const manifest = path.join(directory, 'builder.yaml');
    fs.writeFileSync(
      manifest,
      `dist: { name: otelcol, output_path: ${directory}/build, module: holdfast.test/otelcol }
receivers:
  - gomod: go.opentelemetry.io/collector/receiver/otlpreceiver ${COLLECTOR}
exporters:
  - gomod: go.opentelemetry.io/collector/exporter/otlpexporter ${COLLECTOR}
  - gomod: go.opentelemetry.io/collector/exporter/otlphttpexporter ${COLLECTOR}
extensions:
  - gomod: ${CONTRIB}/extension/storage/filestorage ${COLLECTOR}
  - gomod: ${CONTRIB}/extension/bearertokenauthextension ${COLLECTOR}
`,
    );
    run(builder.file, ['--config', manifest, '--ldflags=-s'], goEnvironment);
    fs.renameSync(path.join(directory, 'build/otelcol'), collector.file);
  },
};

/** The module proxies do not all have the otlpjsonfile receiver; what it reads with they have. */
export const fileReader: Program = {
  name: 'file-reader',
  file: path.join(bin, 'file-reader'),
  install() {
    const directory = path.join(cache, 'modules/file-reader');
    fs.rmSync(directory, { recursive: true, force: true });
    fs.mkdirSync(directory, { recursive: true });
    const source = path.join(import.meta.dirname, 'peers/file_reader.go');
    fs.copyFileSync(source, path.join(directory, 'main.go'));
    run('go', ['-C', directory, 'mod', 'init', 'holdfast.test/file-reader'], goEnvironment);
    const module = `go.opentelemetry.io/collector/pdata@${PDATA}`;
    run('go', ['-C', directory, 'mod', 'edit', `-require=${module}`], goEnvironment);
    run('go', ['-C', directory, 'build', '-ldflags=-s', '-o', fileReader.file, '.'], goEnvironment);
  },
};

/** Python with the OpenTelemetry SDK, in a venv. */
export const python: Program = {
  name: 'python',
  file: path.join(cache, 'python/bin/opentelemetry-python'),
  install() {
    const venv = path.join(cache, 'python');
    run('python3', ['-m', 'venv', venv]);
    run(path.join(venv, 'bin/pip'), [
      'install',
      '--quiet',
      'opentelemetry-sdk',
      'opentelemetry-exporter-otlp-proto-http',
      'opentelemetry-exporter-otlp-proto-grpc',
    ]);
    // There only when all of it is.
    fs.symlinkSync('python3', python.file);
  },
};

/** The OpenTelemetry SDK for Java: a folder of jars. */
export const javaSdk: Program = {
  name: 'java-sdk',
  file: path.join(cache, 'java/lib'),
  install() {
    const directory = path.join(cache, 'java');
    fs.mkdirSync(directory, { recursive: true });
    const dependencies = ['opentelemetry-sdk', 'opentelemetry-exporter-otlp'].map(
      (artifact) =>
        `<dependency><groupId>io.opentelemetry</groupId><artifactId>${artifact}</artifactId><version>${JAVA_SDK}</version></dependency>`,
    );
    const pom = path.join(directory, 'pom.xml');
    fs.writeFileSync(
      pom,
      `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>holdfast.test</groupId><artifactId>interop</artifactId><version>1</version>
<dependencies>${dependencies.join('')}</dependencies></project>
`,
    );
    const fetched = path.join(directory, 'fetched');
    run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${fetched}`]);
    fs.renameSync(fetched, javaSdk.file);
  },
};

export const programs: readonly Program[] = [
  telemetrygen,
  collector,
  fileReader,
  python,
  javaSdk,
  victoriaLogs,
  victoriaMetrics,
  prometheus,
];

/** Undefined where it is there. */
export function missing({ name, file }: Program): string | undefined {
  return fs.existsSync(file) ? undefined : `${name} is not installed: npm run test:interop -- --install`;
}

/** @param folder of the program within the module */
function fromGo(
  name: string,
  module: string,
  version: string,
  folder = '',
  options: readonly string[] = [],
): Program {
  const file = path.join(bin, name);
  return {
    name,
    file,
    install() {
      // A module of its own, and not `go install`: that asks for the list of versions too, which not every proxy has.
      const directory = path.join(cache, 'modules', name);
      fs.rmSync(directory, { recursive: true, force: true });
      fs.mkdirSync(directory, { recursive: true });
      // It also writes which Go this is, without which the graph of modules is read to its last leaf.
      run('go', ['-C', directory, 'mod', 'init', `holdfast.test/${name}`], goEnvironment);
      run('go', ['-C', directory, 'mod', 'edit', `-require=${module}@${version}`], goEnvironment);
      run(
        'go',
        ['-C', directory, 'build', '-ldflags=-s', ...options, '-o', file, `${module}${folder}`],
        goEnvironment,
      );
    },
  };
}

/** @throws Error naming the command that failed */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  // Building takes minutes of every core: others come first.
  const { status, error } = spawnSync('nice', ['-n', '10', command, ...args], { stdio: 'inherit', env });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `ended with ${status}`}`);
}
