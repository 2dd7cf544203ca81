// otlp/json/to_protobuf.ts: JSON → protobuf. The first byte chooses the signal, the rest is the request.

import { requestToJson } from '../../../otlp/json/from_protobuf.ts';
import { JsonTranscoder } from '../../../otlp/json/to_protobuf.ts';
import { MalformedOtlp } from '../../../otlp/malformed.ts';
import { OtlpTooLarge } from '../../../otlp/protobuf_writer.ts';
import { walk } from '../../../otlp/walk.ts';
import { type Parser, promise, refusedAs } from '../parser.ts';
import { requestSeeds, signalOf } from './otlp_requests.ts';

const LIMIT_BYTES = 64 * 1024;
/** One for all inputs: nothing of one request may be left for the next. */
const reused = new JsonTranscoder(LIMIT_BYTES);

export const jsonRequestParser: Parser = {
  name: 'json_request',
  promise:
    'takes JSON alone; what comes out passes the walk, says the same in JSON again, and keeps nothing of the last one',
  seeds: requestSeeds.map((request) =>
    Buffer.concat([
      request.subarray(0, 1),
      Buffer.from(requestToJson(signalOf(request), request.subarray(1))),
    ]),
  ),
  words: [
    ...['{', '}', '[', ']', ',', ':', '"', '{}', '[]', 'null', 'true', '"":', '"__proto__":', '{"a":{"a":'],
    ...['"\\ud800"', '"\\u0000"', '"\\/"', '\\', '\u2028', '\ufeff', '\t', '\n', '//', "'"],
    ...['0', '-0', '-', '1e999', '1E-7', '01', '1.', '.5', '"NaN"', '"-Infinity"', '18446744073709551615'],
    ...[
      '"9223372036854775808"',
      '"0x10"',
      '"1e3"',
      '"=="',
      '"AA=="',
      '"_-8"',
      '"traceId":',
      '"intValue":',
      '"kind":',
    ],
  ],
  shortRun: 400,
  check(input) {
    const signal = signalOf(input);
    const json = input.subarray(1);
    let request: Buffer;
    try {
      request = Buffer.from(reused.transcode(signal, json));
    } catch (error) {
      return refusedAs(error, MalformedOtlp, OtlpTooLarge);
    }
    promise(request.length <= LIMIT_BYTES, `${request.length} bytes came out`);
    JSON.parse(json.toString('utf8'));
    promise(
      new JsonTranscoder(LIMIT_BYTES).transcode(signal, json).equals(request),
      'the last request shows',
    );
    walk(signal, request);
    const again = reused.transcode(signal, Buffer.from(requestToJson(signal, request)));
    promise(again.equals(request), 'written as JSON and read again it is another request');
    return 'accepted';
  },
};
