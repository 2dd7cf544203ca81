// VictoriaLogs behind Holdfast: logs over OTLP, asked for with its query API; every record's time, body, severity and attributes.

import { requestType } from '../../otlp/proto/types.ts';
import { missing, victoriaLogs as program } from '../installed.ts';
import type { Request } from '../items.ts';
import { Differs, type Peer } from '../peer.ts';
import { freePort, post, QUICK } from '../stage.ts';
import { requestOf } from '../telemetry.ts';

const REQUESTS = 100;
const NS_PER_S = 1_000_000_000n;

type Fields = Readonly<Record<string, string>>;
interface LogRecord {
  readonly timeUnixNano: string;
  readonly severityText: string;
  readonly body: { readonly stringValue?: string };
}
interface LogsRequest {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[];
  }[];
}

export const victoriaLogs: Peer = {
  name: 'victoria-logs',
  summary: 'VictoriaLogs, behind',
  missing: () => missing(program),
  async run(stage) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    stage.start(program.file, [
      `-httpListenAddr=127.0.0.1:${port}`,
      `-storageDataPath=${stage.directory}/data`,
    ]);
    const agent = await stage.simpleAgent(
      `otlp_http: { logs_endpoint: "${url}/insert/opentelemetry/v1/logs", ${QUICK} }`,
      ['logs'],
    );
    const sent = Array.from({ length: REQUESTS }, (_, index) => requestOf('logs', 'vl', index));
    await post(agent.endpoint('http'), sent.slice(0, REQUESTS / 2));
    await post(agent.endpoint('http'), sent.slice(REQUESTS / 2), true);
    const wanted = sent.flatMap(recordsIn);
    let found: Fields[] = [];
    await stage.until('VictoriaLogs shows all records', async () => {
      found = await query(url);
      return found.length >= wanted.length;
    });
    const byTime = new Map(found.map((fields) => [nanoseconds(fields['_time']!), fields]));
    for (const record of wanted) check(record, byTime.get(record.timeUnixNano));
    if (found.length !== wanted.length)
      throw new Differs(`${found.length} records instead of ${wanted.length}`, '');
    return [{ way: 'http/protobuf, gzip', compared: wanted.length }];
  },
};

async function query(url: string): Promise<Fields[]> {
  const response = await fetch(
    `${url}/select/logsql/query?${new URLSearchParams({ query: '*', limit: '10000' })}`,
  );
  const text = await response.text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Fields);
}

function check(record: LogRecord, fields: Fields | undefined): void {
  const expected: Fields = {
    severity: record.severityText,
    text: 'größer 買い物 🛒',
    yes: 'true',
    'beyond 2^53': '-9007199254740993',
    fraction: '0.1',
    'service.name': 'shop-vl',
    ...(record.body.stringValue !== undefined && { _msg: record.body.stringValue }),
  };
  for (const [name, value] of Object.entries(expected)) {
    if (fields?.[name] !== value) {
      const got = JSON.stringify(fields);
      throw new Differs(`the record of ${record.timeUnixNano}: ${name} is not ${value}`, got);
    }
  }
}

function recordsIn({ body }: Request): readonly LogRecord[] {
  const type = requestType.logs;
  const request = type.toObject(type.decode(body), { longs: String }) as LogsRequest;
  return request.resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));
}

/** Of an RFC 3339 time in UTC, with up to nine digits behind the second. */
function nanoseconds(time: string): string {
  const [second = '', rest = ''] = time.replace(/Z$/, '').split('.');
  return String(BigInt(Date.parse(`${second}Z`) / 1000) * NS_PER_S + BigInt(rest.padEnd(9, '0')));
}
