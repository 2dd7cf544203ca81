// otlp/json/from_protobuf.ts: protobuf → JSON.

import { requestToJson } from '../../../otlp/json/from_protobuf.ts';
import { MalformedOtlp } from '../../../otlp/malformed.ts';
import { type Parser, promise, refusedAs } from '../parser.ts';
import { mutateRequest, requestSeeds, signalOf } from './otlp_requests.ts';

/** The longest name of a field, quoted, for two bytes on the wire. */
const GROWTH_MAX = 40;

export const otlpJsonParser: Parser = {
  name: 'otlp_json',
  promise: 'one line of JSON, bounded by its input, or MalformedOtlp',
  seeds: requestSeeds,
  mutate: mutateRequest,
  check(input) {
    const signal = signalOf(input);
    const bytes = input.subarray(1);
    let json: string;
    try {
      json = requestToJson(signal, bytes);
    } catch (error) {
      return refusedAs(error, MalformedOtlp);
    }
    promise(!json.includes('\n'), 'more than one line');
    promise(
      json.length <= GROWTH_MAX * bytes.length + GROWTH_MAX,
      `${json.length} characters of ${bytes.length} bytes`,
    );
    const value: unknown = JSON.parse(json);
    promise(typeof value === 'object' && value !== null && !Array.isArray(value), 'no object');
    promise(Object.getPrototypeOf(value) === Object.prototype, 'a prototype was set');
    promise(JSON.stringify(value) === json, 'JSON that reads back as something else');
    return 'accepted';
  },
};
