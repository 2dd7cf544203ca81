// rsyslog in front of Holdfast's file exporter: every framing, transport and format that it sends, and its disk-assisted queue
// across a stop. Invariant: what is compared is every field of every record; what a killed receiver costs is counted.

import fs from 'node:fs';
import type { AgentProcess } from '../../e2e/agent_process.ts';
import { selfSigned } from '../../exporters/otlp/self_signed.ts';
import { recordsIn } from '../log_file.ts';
import { Differs, type Held, type Peer } from '../peer.ts';
import { feed, HOST, missingRsyslog, type Rsyslog, startRsyslog, type Way, WORDS } from '../rsyslog.ts';
import { freePort, type Stage } from '../stage.ts';
import { allCame, comeOf, compareRecords, newMessages, oldMessages, PRIORITIES } from '../syslog_messages.ts';

/** Messages around a stop: more than a socket and rsyslog's memory hold. */
const FLOW = 10_000;
/** How many have come when the agent is stopped. */
const FLOW_BEGUN = 1000;

const NEW = 'RSYSLOG_SyslogProtocol23Format';
const OLD = 'RSYSLOG_TraditionalForwardFormat';
const DEFAULT = 'RSYSLOG_ForwardFormat';

/** A file of lines that are no syslog. */
const oddLines: readonly string[] = [
  'no priority and no time',
  '{"level":"warn","msg":"größer 買い物"}',
  '<999>a priority that there is not',
  '<13',
  '\tat shop.Till.open(Till.java:42)',
  'x'.repeat(20_000),
];

interface Doors {
  readonly tcp: number;
  readonly udp: number;
  readonly tls: number;
}

export const rsyslog: Peer = {
  name: 'rsyslog',
  summary: 'rsyslog, in front, over TCP, UDP and TLS, into the file exporter; its disk queue across a stop',
  missing: missingRsyslog,
  async run(stage) {
    const { cert, key } = selfSigned(HOST);
    stage.write('cert.pem', cert);
    stage.write('key.pem', key);
    const doors: Doors = { tcp: await freePort(), udp: await freePort(), tls: await freePort() };
    const odd = stage.write('odd.log', `${oddLines.join('\n')}\n`);
    const ways = waysTo(doors, odd);
    const out = `${stage.directory}/out.jsonl`;
    const agent = await startAgent(stage, doors, out);
    const relay = await startRsyslog(stage, ways);
    const { ports } = relay;
    const held: Held[] = [];
    for (const { name, template, framing, protocol, driver, expects, queue, file } of ways) {
      if (expects !== undefined || queue || file !== undefined) continue;
      const hasLines = protocol === 'udp' || framing === 'octet-counted';
      const sent =
        template === NEW
          ? newMessages(name, PRIORITIES, hasLines)
          : oldMessages(name, PRIORITIES, hasLines, template === DEFAULT);
      await feed(ports.get(name)!, sent);
      const format = template === NEW ? 'RFC 5424' : template === OLD ? 'RFC 3164' : 'its default';
      const way = [driver ? `tls (${driver})` : protocol, format, framing].filter(Boolean).join(', ');
      held.push({ way, compared: await allCame(stage, name, sent, out) });
    }
    held.push(await throughLogger(stage, ports.get('tls-ossl')!, out));
    held.push(await wrongName(stage, ports.get('tls-wrong')!, out));
    held.push(await odds(stage, out));
    held.push(...(await acrossStops(stage, agent, doors, relay, out)));
    return held;
  },
};

function waysTo(doors: Doors, odd: string): readonly Way[] {
  const tcp = { protocol: 'tcp', port: doors.tcp } as const;
  const udp = { protocol: 'udp', port: doors.udp } as const;
  const tls = { protocol: 'tcp', port: doors.tls, framing: 'octet-counted', template: NEW } as const;
  return [
    { ...tcp, name: 'tcp-new-lines', template: NEW, framing: 'traditional' },
    { ...tcp, name: 'tcp-new-octets', template: NEW, framing: 'octet-counted' },
    { ...udp, name: 'udp-new', template: NEW },
    { ...tcp, name: 'tcp-old-lines', template: OLD, framing: 'traditional' },
    { ...tcp, name: 'tcp-old-octets', template: OLD, framing: 'octet-counted' },
    { ...udp, name: 'udp-old', template: OLD },
    { ...tcp, name: 'tcp-default', template: DEFAULT, framing: 'octet-counted' },
    { ...tls, name: 'tls-ossl', driver: 'ossl' },
    { ...tls, name: 'tls-gtls', driver: 'gtls' },
    { ...tls, name: 'tls-lines', driver: 'ossl', framing: 'traditional' },
    { ...tls, name: 'tls-wrong', driver: 'gtls', expects: 'somebody-else.test', queue: true },
    { ...tcp, name: 'odd', template: 'raw', framing: 'traditional', file: odd },
    { ...tcp, name: 'queued', template: NEW, framing: 'octet-counted', queue: true },
  ];
}

function startAgent(stage: Stage, doors: Doors, out: string): Promise<AgentProcess> {
  return stage.agent({
    receivers: `  syslog:
    tcp: { listen_address: "127.0.0.1:${doors.tcp}" }
    udp: { listen_address: "127.0.0.1:${doors.udp}" }
  syslog/tls:
    tcp: { listen_address: "127.0.0.1:${doors.tls}", tls: { cert_file: cert.pem, key_file: key.pem } }`,
    exporters: `  file: { path: ${out}, rotation: { max_megabytes: 1000 } }`,
    pipelines: '    logs: { receivers: [syslog, syslog/tls], exporters: [file] }',
  });
}

/** logger speaks no TLS: the rsyslog of its host does. */
async function throughLogger(stage: Stage, port: number, out: string): Promise<Held> {
  const text = 'through rsyslog: größer, 买, "quoted"';
  const args = ['--tcp', '--octet-count', '--rfc5424', '--server', '127.0.0.1', '--port', String(port)];
  const fields = ['--msgid', 'ID47', '--sd-id', 'a@32473', '--sd-param', 'iut="3"', '--id=4242'];
  await stage.complete('logger', [...args, ...fields, '-t', 'interop', '-p', 'local3.err', text]);
  const find = () => recordsIn(out).find(({ attributes }) => attributes['message'] === text);
  await stage.until(text, async () => find() !== undefined);
  const { severity, severityNumber, attributes } = find()!;
  const { facility, appname, proc_id, msg_id, structured_data } = attributes;
  const { 'a@32473': element } = structured_data as Record<string, unknown>;
  const is = JSON.stringify([severity, severityNumber, facility, appname, proc_id, msg_id, element]);
  const shall = JSON.stringify(['err', 17, 19, 'interop', '4242', 'ID47', { iut: '3' }]);
  if (is !== shall) throw new Differs('logger through rsyslog', `${is}\ninstead of\n${shall}`);
  return { way: 'logger → rsyslog → tls', compared: 1 };
}

/** Nothing may come through a connection whose certificate rsyslog does not trust: it asks again, with what it has. */
async function wrongName(stage: Stage, port: number, out: string): Promise<Held> {
  await feed(port, newMessages('tls-wrong', 10, false));
  await stage.until('rsyslog refuses the certificate', async () =>
    fs.readFileSync(`${stage.directory}/${WORDS}`, 'utf8').includes('not permitted to talk'),
  );
  const { size } = comeOf('tls-wrong', out);
  if (size > 0) throw new Differs(`${size} messages came though the certificate carries another name`, '');
  return { way: 'tls, a certificate of another name: refused', compared: 0 };
}

/** What is no syslog is kept as it is and marked; what only looks like some is kept as it is. */
async function odds(stage: Stage, out: string): Promise<Held> {
  const bodies = () => new Map(recordsIn(out).map(({ body, attributes }) => [body, attributes]));
  await stage.until('all odd lines', async () => oddLines.every((line) => bodies().has(line)));
  const unmarked = oddLines.filter((line) => bodies().get(line)?.['syslog.parse_error'] === undefined);
  if (unmarked.length > 0) throw new Differs('odd lines without syslog.parse_error', unmarked.join('\n'));
  return { way: 'a file of odd lines (imfile), raw: kept and marked', compared: oddLines.length };
}

/** A stop in order costs nothing; what a kill costs is what rsyslog had given to a socket that died, and is rsyslog's to lose. */
async function acrossStops(
  stage: Stage,
  first: AgentProcess,
  doors: Doors,
  { ports, stop }: Rsyslog,
  out: string,
): Promise<readonly Held[]> {
  const flow = async (mark: string, agent: AgentProcess, end: (agent: AgentProcess) => Promise<unknown>) => {
    const sent = newMessages(mark, FLOW, true);
    const fed = feed(ports.get('queued')!, sent);
    await stage.until('the flow has begun', async () => comeOf(mark, out).size >= FLOW_BEGUN);
    await end(agent);
    await fed;
    return { sent, again: await startAgent(stage, doors, out) };
  };
  const planned = await flow('planned', first, (agent) => agent.stop());
  const compared = await allCame(stage, 'planned', planned.sent, out);
  const killed = await flow('killed', planned.again, (agent) => agent.kill());
  await stop();
  // All that rsyslog had is in sockets, and what stops in order reads them to their end: then this is behind all of it.
  await killed.again.stop();
  await startAgent(stage, doors, out);
  const last = newMessages('last', 1, true);
  await feed(doors.tcp, last);
  await allCame(stage, 'last', last, out);
  const came = comeOf('killed', out);
  compareRecords('killed', killed.sent, came);
  const lost = FLOW - came.size;
  return [
    { way: 'its disk queue, Holdfast stopped in the middle', compared },
    { way: `its disk queue, Holdfast killed in the middle: ${lost} in the dead socket`, compared: came.size },
  ];
}
