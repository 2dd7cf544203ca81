// receivers/syslog/: one message to one record, and a stream to messages.

import { LogWriter } from '../../../otlp/log_writer.ts';
import { walk } from '../../../otlp/walk.ts';
import { Framer } from '../../../receivers/syslog/framing.ts';
import { Recorder } from '../../../receivers/syslog/recorder.ts';
import { requestType } from '../../otlp/proto/types.ts';
import { type Parser, promise, type Verdict } from '../parser.ts';

const NOTHING = Buffer.alloc(0);
const MARK = '\ufeff';
const NOW_MS = Date.UTC(2024, 0, 15);
const LIMIT_BYTES = 100;
const seeds = [
  "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
  '<165>1 2003-10-11T22:14:15.003Z host evntslog 12 ID47 [a@1 iut="3" b="\\"\\]"][b@2 ip="1" ip="2"] \ufeffAn event',
  '<34>1 - - - - - -',
  '<166>Oct 11 2018 22:14:15 asa1 : %ASA-6-302013: Built outbound',
  '<166>:Oct 11 22:14:15 PDT: %ASA-6-302013: Built',
  '<189>45: router1: 000123: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured',
  '<189>29: 00:00:46: %LINK-3-UPDOWN: Interface Port-channel1',
  '<189>: 2013 Apr 11 10:34:52 UTC: %ETHPORT-5-IF_DOWN: x',
  '<189>date=2021-01-01 time=12:00:00 devname="FG 100" devid="FG1" tz="+0100" msg="x"',
  '<13>2021-03-04T05:06:07.123456+02:00 host app[1]: text',
  'Feb 29 12:00:00 host app: grüße',
];

interface Record {
  readonly body: { readonly stringValue: string };
  readonly attributes?: readonly { key: string }[];
}

function onlyRecord(bytes: Uint8Array): Record {
  const request = requestType.logs.toObject(requestType.logs.decode(bytes), { longs: String }) as {
    resourceLogs: { scopeLogs: { logRecords: Record[] }[] }[];
  };
  const records = request.resourceLogs[0]!.scopeLogs[0]!.logRecords;
  promise(records.length === 1, `${records.length} records of one message`);
  return records[0]!;
}

export const syslogParser: Parser = {
  name: 'syslog',
  promise: 'any bytes become one record that is well formed, with the bytes as body and each attribute once',
  seeds: seeds.map((seed) => Buffer.from(seed)),
  words: [
    '<191>',
    '<192>',
    '<13>1 ',
    ' - ',
    '[a@1 ',
    ']',
    '="',
    '\\"',
    ': ',
    '%',
    'UTC',
    MARK,
    '60',
    '9999',
    'date=',
  ],
  check(input) {
    const recorder = new Recorder('auto', 'Europe/Berlin');
    recorder.arrive(NOW_MS);
    const writer = new LogWriter(2 ** 20);
    recorder.record(writer, input, 0, input.length, false, false, NOTHING);
    const request = writer.finish();
    promise(request !== undefined, 'no record');
    const walked = walk('logs', request.bytes);
    promise(walked.items === 1 && walked.shardKey === request.shardKey, 'the walk says something else');
    const { body, attributes = [] } = onlyRecord(request.bytes);
    const keys = attributes.map(({ key }) => key);
    promise(new Set(keys).size === keys.length, `attributes that come twice: ${keys}`);
    const isLatin = keys.includes('syslog.encoding');
    const text = input.toString(isLatin ? 'latin1' : 'utf8');
    const whole = text.startsWith(MARK) ? text.slice(1) : text;
    promise(body.stringValue === whole, 'the body is not the message');
    return keys.includes('syslog.parse_error') ? 'refused' : 'accepted';
  },
};

/** What a framer tells of `input` in pieces of these sizes. */
function told(
  input: Buffer,
  sizes: readonly number[],
  framing: 'octets' | 'lf' | 'nul' | undefined,
): string[] {
  const messages: string[] = [];
  const options = { framing, mayCount: true, max_bytes: LIMIT_BYTES };
  const framer = new Framer(options, (bytes, start, stop, _isText, isCut) => {
    promise(start < stop && stop <= bytes.length, 'a message of nothing, or beyond the end');
    promise(stop - start <= LIMIT_BYTES, 'a message beyond the limit');
    messages.push(`${isCut} ${bytes.toString('hex', start, stop)}`);
  });
  for (let at = 0, index = 0; at < input.length; index += 1) {
    const size = sizes[index % sizes.length]!;
    const chunk = Buffer.from(input.subarray(at, at + size));
    framer.push(chunk);
    chunk.fill(0);
    promise(framer.held_bytes <= LIMIT_BYTES + 16, `${framer.held_bytes} bytes held`);
    at += size;
  }
  framer.end();
  return messages;
}

export const syslogStreamParser: Parser = {
  name: 'syslog_stream',
  promise:
    'a stream gives the same messages however it is cut to pieces, none beyond the limit, and holds no more than that',
  seeds: [
    Buffer.from('<13>a\n<13>b\r\n\n<13>c'),
    Buffer.from('5 <13>a7 <13>b\nc\n'),
    Buffer.from('<13>a\n b\0<13>c\0'),
    Buffer.from(`300 <13>${'x'.repeat(295)} 5 <13>y`),
    Buffer.from(`<13>${'x'.repeat(295)}\n<13>y\n`),
  ],
  words: ['0 ', '1 ', '99999999 ', '999999999 ', '\0', '\r\n', ' '],
  refusesNothing: true,
  check(input): Verdict {
    for (const framing of ['octets', 'lf', 'nul'] as const) {
      const whole = told(input, [input.length], framing).join();
      for (const sizes of [[1], [3, 50], [LIMIT_BYTES + 20, 1]]) {
        promise(
          told(input, sizes, framing).join() === whole,
          `pieces of ${sizes} give other messages (${framing})`,
        );
      }
    }
    // Which framing it is may depend on how much of the stream is there; limits hold all the same.
    told(input, [1], undefined);
    told(input, [input.length], undefined);
    return 'accepted';
  },
};
