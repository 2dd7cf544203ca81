// receivers/http: what becomes of a body. The first byte says how it is read; the rest is the body.

import { requestToObject } from '../../../otlp/json/from_protobuf.ts';
import { OtlpTooLarge } from '../../../otlp/protobuf_writer.ts';
import { walk } from '../../../otlp/walk.ts';
import { writeRecords } from '../../../receivers/http/body.ts';
import { type BodyFormat, routeSchema } from '../../../receivers/http/config.ts';
import { MalformedBody } from '../../../receivers/http/malformed_body.ts';
import { picksOf } from '../../../receivers/http/picks.ts';
import { RecordWriter } from '../../../receivers/http/records.ts';
import { type Parser, promise, refusedAs } from '../parser.ts';

const LIMIT_BYTES = 256 * 1024;
const formats: readonly BodyFormat[] = ['json', 'ndjson', 'text', 'raw'];
const picking = {
  body: 'message',
  timestamp: { path: 'time' },
  severity: { path: 'log.level', numbers: 'pino' },
  trace_id: 'trace',
  span_id: 'span',
  trace_flags: 'flags',
  resource_attributes: { 'service.name': 'service' },
};
const routes = [{}, picking, { ...picking, malformed: 'keep' }, { malformed: 'keep' }].map((route) =>
  routeSchema.parse(route),
);
/** One for all inputs, as in the receiver: what one body leaves behind must not reach the next. */
const records = new RecordWriter(LIMIT_BYTES);

const record = `{"message":"a","time":"2026-11-21T07:44:50Z","log":{"level":30},"trace":"${'ab'.repeat(16)}","span":"${'cd'.repeat(8)}","flags":1,"service":"s","n":[1,-2.5e3,{"x":null}],"\\u0066":"\\n"}`;
/** How it is read: two bits of the format, two of the route. */
const seed = (how: number, text: string): Buffer => Buffer.concat([Uint8Array.of(how), Buffer.from(text)]);

export const httpBodyParser: Parser = {
  name: 'http_body',
  promise:
    'every line and value becomes a record that is well-formed OTLP, or the body is refused with how many there were',
  seeds: [
    seed(0, `[${record},${record}]`),
    seed(4, record),
    seed(5, `${record}\n\n{"service":"t"}\r\n${record}`),
    seed(9, `${record}\n{"broken\n"x"\n`),
    seed(2, 'one\ntwo\r\n\nthree'),
    seed(14, 'one\ntwo'),
    seed(3, 'anything'),
  ],
  words: [
    record,
    '{"message":',
    '"time":',
    '"service":',
    '"log":{',
    '"flags":"0',
    '[',
    ']',
    '{',
    '}',
    '\n',
    '\r',
    ',',
    '\\ud83d',
    '1e400',
    '-0',
    'null',
    '__proto__',
    '\u00e9',
  ],
  check(input) {
    const how = input[0] ?? 0;
    const format = formats[how % 4]!;
    const route = routes[(how >> 2) % 4]!;
    const body = Buffer.from(input.subarray(1));
    const context = { route, picks: picksOf(route), observed_ms: 1_795_247_090_123, attributes: [] };
    try {
      writeRecords(records, format, body, context);
    } catch (error) {
      const verdict = refusedAs(error, MalformedBody, OtlpTooLarge);
      promise(
        error instanceof OtlpTooLarge || (error as MalformedBody).items > 0,
        'a refusal that counts nothing',
      );
      promise(route.malformed === 'refuse' || error instanceof OtlpTooLarge, 'refused what is to be kept');
      return verdict;
    }
    const gathered = records.finish();
    if (!gathered) {
      const isEmpty =
        format === 'json' ? !/[^\s[\]]/.test(body.toString('latin1')) : /^\s*$/.test(body.toString('latin1'));
      promise(isEmpty, 'a body that vanished');
      return 'accepted';
    }
    const { items, shardKey } = walk('logs', gathered.bytes);
    promise(items === gathered.items && shardKey === gathered.shardKey, 'another count than the walk finds');
    const shown = JSON.stringify(requestToObject('logs', gathered.bytes));
    promise(shown.length > 0, 'a request that cannot be shown');
    if (format === 'text') {
      const lines = body
        .toString('latin1')
        .split('\n')
        .filter((line) => line !== '' && line !== '\r');
      promise(items === lines.length, `${items} records of ${lines.length} lines`);
    }
    return 'accepted';
  },
};
