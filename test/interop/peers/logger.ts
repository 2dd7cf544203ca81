// logger of util-linux in front of Holdfast: what it is told to send over syslog has to come out as the fields of a record.

import { spawnSync } from 'node:child_process';
import { itemsOf } from '../items.ts';
import { Differs, type Held, type Peer } from '../peer.ts';
import { QUICK, type Stage } from '../stage.ts';

interface Value {
  readonly stringValue?: string;
  readonly intValue?: string;
  readonly kvlistValue?: { readonly values: readonly Pair[] };
}
interface Pair {
  readonly key: string;
  readonly value: Value;
}
interface Record {
  readonly timeUnixNano: string;
  readonly severityText: string;
  readonly attributes: readonly Pair[];
}

const ways: readonly (readonly [string, 'tcp' | 'udp', readonly string[]])[] = [
  ['udp, RFC 5424', 'udp', ['--udp', '--rfc5424']],
  ['udp, RFC 3164', 'udp', ['--udp', '--rfc3164']],
  ['tcp, RFC 5424', 'tcp', ['--tcp', '--rfc5424']],
  ['tcp, RFC 5424, octet counting', 'tcp', ['--tcp', '--rfc5424', '--octet-count']],
  ['tcp, RFC 3164', 'tcp', ['--tcp', '--rfc3164']],
];

export const logger: Peer = {
  name: 'logger',
  summary: 'logger of util-linux, in front, over UDP and TCP',
  missing() {
    const { stdout } = spawnSync('logger', ['--version'], { encoding: 'utf8' });
    return stdout?.includes('util-linux') ? undefined : 'logger of util-linux is not installed';
  },
  async run(stage) {
    const agent = await stage.agent({
      receivers:
        '  syslog: { tcp: { listen_address: "127.0.0.1:0" }, udp: { listen_address: "127.0.0.1:0" }, location: Local }',
      exporters: `  otlp_http: { endpoint: ${stage.backend.url}, ${QUICK} }`,
      pipelines: '    logs: { receivers: [syslog], exporters: [otlp_http] }',
    });
    const held: Held[] = [];
    for (const [index, [way, protocol, options]] of ways.entries()) {
      const port = agent.endpoint(protocol).split(':').at(-1)!;
      const message = `message ${index}: größer, 买, "quoted" and more`;
      const isNew = options.includes('--rfc5424');
      const extra = isNew ? ['--msgid', 'ID47', '--sd-id', 'a@32473', '--sd-param', 'iut="3"'] : [];
      const args = ['--server', '127.0.0.1', '--port', port, ...options, ...extra];
      await stage.complete('logger', [...args, '-t', 'interop', '-p', 'local3.err', '--id=4242', message]);
      check(way, isNew, await arrived(stage, message), message);
      held.push({ way, compared: 1 });
    }
    return held;
  },
};

async function arrived(stage: Stage, message: string): Promise<Record> {
  const find = (): Record[] => {
    const mine = stage.backend.received.filter(({ body }) => body.includes(message));
    const all = [...itemsOf(mine)].map((text) => (JSON.parse(text) as unknown[])[5] as Record);
    return all.filter((record) => attribute(record, 'message')?.stringValue === message);
  };
  await stage.until(message, async () => find().length > 0);
  return find()[0]!;
}

function check(way: string, isNew: boolean, record: Record, message: string): void {
  const found = {
    severity: record.severityText,
    facility: attribute(record, 'facility')?.intValue,
    appname: attribute(record, 'appname')?.stringValue,
    process: attribute(record, 'proc_id')?.stringValue,
    id: attribute(record, 'msg_id')?.stringValue,
    hasHost: attribute(record, 'hostname') !== undefined,
    hasTime: Math.abs(Number(record.timeUnixNano) / 1e6 - Date.now()) < 3_600_000,
    error: attribute(record, 'syslog.parse_error')?.stringValue,
    parameter: structured(record, 'a@32473', 'iut'),
    message: attribute(record, 'message')?.stringValue,
  };
  const wanted = {
    severity: 'err',
    facility: '19',
    appname: 'interop',
    process: '4242',
    id: isNew ? 'ID47' : undefined,
    hasHost: true,
    hasTime: true,
    error: undefined,
    parameter: isNew ? '3' : undefined,
    message,
  };
  const [is, shall] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (is !== shall) throw new Differs(`${way}: another record`, `${is}\ninstead of\n${shall}`);
}

function attribute(record: Record, key: string): Value | undefined {
  return record.attributes.find((pair) => pair.key === key)?.value;
}

function structured(record: Record, element: string, parameter: string): string | undefined {
  const within = (value: Value | undefined, key: string): Value | undefined =>
    value?.kvlistValue?.values.find((pair) => pair.key === key)?.value;
  return within(within(attribute(record, 'structured_data'), element), parameter)?.stringValue;
}
