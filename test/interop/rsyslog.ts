// rsyslog as Debian ships it, between a client and Holdfast: its configuration, one way through it per port. Invariant: it
// keeps its files in the stage's directory, and what it takes in it passes on unchanged but for what the template says.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { freePort, type Stage } from './stage.ts';

/** The name in Holdfast's certificate, which rsyslog is told to expect. */
export const HOST = 'door.test';

/** One way from rsyslog to Holdfast. */
export interface Way {
  /** Of its ruleset. */
  readonly name: string;
  /** A template of rsyslog's own, or `raw`. */
  readonly template:
    | 'RSYSLOG_SyslogProtocol23Format'
    | 'RSYSLOG_TraditionalForwardFormat'
    | 'RSYSLOG_ForwardFormat'
    | 'raw';
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly framing?: 'octet-counted' | 'traditional';
  /** TLS by one of its two drivers. */
  readonly driver?: 'ossl' | 'gtls';
  /** The name that the certificate has to carry. */
  readonly expects?: string;
  /** A queue in memory that goes to disk: what comes while nobody takes it waits. */
  readonly queue?: boolean;
  /** What it reads instead of taking connections. */
  readonly file?: string;
}

/** What rsyslog itself has to say. */
export const WORDS = 'rsyslog-says.txt';

const MODULES = '/usr/lib';
const install = 'apt-get install rsyslog rsyslog-openssl rsyslog-gnutls';

/** Undefined where it is there with both of its TLS drivers. */
export function missingRsyslog(): string | undefined {
  const { stdout } = spawnSync('rsyslogd', ['-v'], { encoding: 'utf8' });
  if (!stdout?.startsWith('rsyslogd')) return `rsyslog is not installed: ${install}`;
  const folders = fs.readdirSync(MODULES).map((name) => `${MODULES}/${name}/rsyslog`);
  const hasModule = (name: string): boolean =>
    [`${MODULES}/rsyslog`, ...folders].some((folder) => fs.existsSync(`${folder}/${name}`));
  const lacking = ['lmnsd_ossl.so', 'lmnsd_gtls.so', 'imptcp.so', 'imfile.so'].find(
    (name) => !hasModule(name),
  );
  return lacking === undefined ? undefined : `rsyslog has no ${lacking}: ${install}`;
}

export interface Rsyslog {
  /** On which it takes messages, octet-counted or line by line, by the names of the ways. */
  readonly ports: ReadonlyMap<string, number>;
  /** Resolves when its queues are empty and all of it has been given to sockets. */
  readonly stop: () => Promise<unknown>;
}

export async function startRsyslog(stage: Stage, ways: readonly Way[]): Promise<Rsyslog> {
  const ports = new Map<string, number>();
  for (const { name, file } of ways) if (file === undefined) ports.set(name, await freePort());
  const configuration = stage.write('rsyslog.conf', configurationOf(stage.directory, ways, ports));
  const child = stage.start('rsyslogd', ['-n', '-f', configuration, '-i', `${stage.directory}/rsyslog.pid`]);
  for (const port of ports.values()) {
    await stage.until(`rsyslog listens on ${port}`, async () => {
      const socket = net.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
      return true;
    });
  }
  const stop = (): Promise<unknown> => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    return ended;
  };
  return { ports, stop };
}

/** Octet-counted, so that messages of several lines pass. */
export async function feed(port: number, messages: readonly { readonly bytes: Buffer }[]): Promise<void> {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  for (const { bytes } of messages) {
    if (!socket.write(Buffer.concat([Buffer.from(`${bytes.length} `), bytes]))) await once(socket, 'drain');
  }
  socket.end();
  await once(socket.resume(), 'close');
}

function configurationOf(
  directory: string,
  ways: readonly Way[],
  ports: ReadonlyMap<string, number>,
): string {
  return `global(
  workDirectory="${directory}"
  maxMessageSize="64k"
  preserveFQDN="on"
  processInternalMessages="on"
  parser.escapeControlCharactersOnReceive="off"
  defaultNetstreamDriverCAFile="${directory}/cert.pem"
)
module(load="imptcp")
module(load="imfile" mode="inotify")
template(name="raw" type="string" string="%rawmsg%")
syslog.* action(type="omfile" file="${directory}/${WORDS}")
${ways.map((way) => wayOf(way, ports.get(way.name))).join('\n')}
`;
}

function wayOf(way: Way, port: number | undefined): string {
  const { name, file } = way;
  const source =
    file === undefined
      ? `type="imptcp" address="127.0.0.1" port="${port}" defaultTZ="+00:00"`
      : `type="imfile" file="${file}" tag="odd:"`;
  const options: Readonly<Record<string, string | undefined>> = {
    type: 'omfwd',
    target: '127.0.0.1',
    port: String(way.port),
    protocol: way.protocol,
    template: way.template,
    TCP_Framing: way.framing,
    'action.resumeRetryCount': '-1',
    'action.resumeInterval': '1',
    ...(way.driver && {
      streamDriver: way.driver,
      streamDriverMode: '1',
      streamDriverAuthMode: 'x509/name',
      streamDriverPermittedPeers: way.expects ?? HOST,
    }),
    ...(way.queue && {
      'queue.type': 'LinkedList',
      'queue.filename': name,
      'queue.size': '4000',
      'queue.highWatermark': '3000',
      'queue.lowWatermark': '1000',
      'queue.maxDiskSpace': '1g',
      'queue.timeoutShutdown': '20000',
    }),
  };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const written = given.map(([key, value]) => `${key}="${value}"`).join(' ');
  return `ruleset(name="${name}") { action(${written}) }
input(${source} ruleset="${name}")`;
}
