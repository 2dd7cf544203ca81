// logger of util-linux in front of Holdfast's file exporter: what it is told to send over syslog has to come out as the fields
// of a record.

import { spawnSync } from 'node:child_process';
import { inOrder, type LogRecord, recordsIn } from '../log_file.ts';
import { Differs, type Held, type Peer } from '../peer.ts';
import type { Stage } from '../stage.ts';

interface LoggerWay {
  readonly way: string;
  readonly door: 'tcp' | 'udp' | 'unix';
  readonly options: readonly string[];
  readonly isNew: boolean;
  /** What it writes for the host of its own machine names none. */
  readonly hasHost: boolean;
}

const ways: readonly LoggerWay[] = [
  { way: 'udp, RFC 5424', door: 'udp', options: ['--udp', '--rfc5424'], isNew: true, hasHost: true },
  { way: 'udp, RFC 3164', door: 'udp', options: ['--udp', '--rfc3164'], isNew: false, hasHost: true },
  { way: 'tcp, RFC 5424', door: 'tcp', options: ['--tcp', '--rfc5424'], isNew: true, hasHost: true },
  {
    way: 'tcp, RFC 5424, octet counting',
    door: 'tcp',
    options: ['--tcp', '--rfc5424', '--octet-count'],
    isNew: true,
    hasHost: true,
  },
  { way: 'tcp, RFC 3164', door: 'tcp', options: ['--tcp', '--rfc3164'], isNew: false, hasHost: true },
  { way: 'unix, as to /dev/log', door: 'unix', options: ['--tcp'], isNew: false, hasHost: false },
];
const HOUR_MS = 3_600_000;

export const logger: Peer = {
  name: 'logger',
  summary: 'logger of util-linux, in front, over UDP, TCP and a unix socket, into the file exporter',
  missing() {
    const { stdout } = spawnSync('logger', ['--version'], { encoding: 'utf8' });
    return stdout?.includes('util-linux') ? undefined : 'logger of util-linux is not installed';
  },
  async run(stage) {
    const socket = `${stage.directory}/log.sock`;
    const out = `${stage.directory}/out.jsonl`;
    const any = '{ listen_address: "127.0.0.1:0" }';
    const agent = await stage.agent({
      receivers: `  syslog: { tcp: ${any}, udp: ${any}, unix: { listen_address: ${socket} }, location: Local }`,
      exporters: `  file: { path: ${out} }`,
      pipelines: '    logs: { receivers: [syslog], exporters: [file] }',
    });
    const held: Held[] = [];
    for (const [index, each] of ways.entries()) {
      const { way, door, options, isNew } = each;
      const message = `message ${index}: größer, 买, "quoted" and more`;
      const port = door === 'unix' ? '' : agent.endpoint(door).split(':').at(-1)!;
      const where = door === 'unix' ? ['--socket', socket] : ['--server', '127.0.0.1', '--port', port];
      const extra = isNew ? ['--msgid', 'ID47', '--sd-id', 'a@32473', '--sd-param', 'iut="3"'] : [];
      const what = ['-t', 'interop', '-p', 'local3.err', '--id=4242', message];
      await stage.complete('logger', [...where, ...options, ...extra, ...what]);
      check(each, await arrived(stage, out, message), message);
      held.push({ way, compared: 1 });
    }
    return held;
  },
};

async function arrived(stage: Stage, out: string, message: string): Promise<LogRecord> {
  const find = () => recordsIn(out).find(({ attributes }) => attributes['message'] === message);
  await stage.until(message, async () => find() !== undefined);
  return find()!;
}

/** Time, host, and what logger says of its clock are its own; all else was asked for. */
function check({ way, isNew, hasHost }: LoggerWay, record: LogRecord, message: string): void {
  const { hostname, structured_data, ...attributes } = record.attributes;
  const data = structured_data as Readonly<Record<string, unknown>> | undefined;
  const found = {
    ...inOrder({ ...record, time: '', attributes }),
    body: String(record.body).startsWith('<155>') && String(record.body).endsWith(message),
    hasHost: hostname !== undefined,
    hasTime: Math.abs(Number(record.time) / 1e6 - Date.now()) < HOUR_MS,
    parameters: data?.['a@32473'],
  };
  const wanted = {
    ...inOrder({
      time: '',
      severity: 'err',
      severityNumber: 17,
      body: '',
      attributes: {
        priority: 155,
        facility: 19,
        appname: 'interop',
        proc_id: '4242',
        version: isNew ? 1 : undefined,
        msg_id: isNew ? 'ID47' : undefined,
        message,
      },
    }),
    body: true,
    hasHost,
    hasTime: true,
    parameters: isNew ? { iut: '3' } : undefined,
  };
  const [is, shall] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (is !== shall) throw new Differs(`${way}: another record`, `${is}\ninstead of\n${shall}`);
}
