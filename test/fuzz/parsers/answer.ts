// exporters/otlp_http/outcome.ts and what it reads with: Status and Export*Response in both encodings, Retry-After. The input is
// a status, a content type, a Retry-After, one line each, and a body.

import { outcomeOf, retryAfter_ms } from '../../../exporters/otlp_http/outcome.ts';
import { encodeExportResponse, exportResponseToJson } from '../../../otlp/response.ts';
import { encodeStatus, statusToJson } from '../../../otlp/status.ts';
import { type Parser, promise, type Verdict } from '../parser.ts';

const NOW_MS = Date.UTC(2026, 10, 21);
const MESSAGE_CHARACTERS_MAX = 300;
const partial = { partial: { rejectedItems: 3, message: 'too\u0000 old\u202e' } };
const status = { code: 14, message: 'later', retryDelay_ms: 1_500 };

function answer(code: number, type: string, after: string, body: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${code}\n${type}\n${after}\n`), Buffer.from(body)]);
}

export const answerParser: Parser = {
  name: 'answer',
  promise: 'whatever a backend answers means one outcome; nothing throws; a message is one clean, short line',
  seeds: [
    answer(200, 'application/x-protobuf', '', encodeExportResponse(partial)),
    answer(200, 'application/json', '', exportResponseToJson('logs', partial)),
    answer(503, 'application/x-protobuf', '7', encodeStatus(status)),
    answer(429, 'application/json', 'Sun, 06 Nov 2044 08:49:37 GMT', statusToJson(status)),
    answer(400, 'text/plain; charset=utf-8', '', 'a reason\r\nof two lines'),
    answer(502, 'text/html', 'Sunday, 06-Nov-44 08:49:37 GMT', '<html>'),
    answer(302, '', 'Sun Nov  6 08:49:37 2044', ''),
  ],
  words: [
    'application/json',
    '{}',
    '[]',
    'null',
    '1e999',
    '-1',
    '"',
    '\\ud800',
    '{"partialSuccess":',
    '{"details":[',
    '"@type":"type.googleapis.com/google.rpc.RetryInfo"',
    '"retryDelay":"-1s"',
    '99999999999999999999',
    'Sat, 31 Feb 2999 99:99:99 GMT',
    '\n',
    '__proto__',
  ],
  refusesNothing: true,
  check(input): Verdict {
    const text = input.toString('latin1');
    const [code = '', type = '', after = ''] = text.split('\n', 3);
    const body = input.subarray(Math.min(input.length, code.length + type.length + after.length + 3));
    const delay_ms = retryAfter_ms(after, NOW_MS);
    promise(
      delay_ms === undefined || (Number.isFinite(delay_ms) && delay_ms >= 0),
      `a delay of ${delay_ms} ms`,
    );
    const headers = { 'content-type': type, ...(after === '' ? {} : { 'retry-after': after }) };
    const given = { status: Number.parseInt(code, 10) || 0, headers, body, truncated: false };
    const outcome = outcomeOf('logs', given, NOW_MS, (message) => message);
    const isSuccess = given.status >= 200 && given.status < 300;
    const success = outcome.kind === 'delivered' || outcome.kind === 'partial';
    promise(success === isSuccess, `${given.status} means ${outcome.kind}`);
    if (outcome.kind === 'retry' && outcome.after_ms !== undefined) {
      promise(
        Number.isFinite(outcome.after_ms) && outcome.after_ms >= 0,
        `to wait for ${outcome.after_ms} ms`,
      );
    }
    if (outcome.kind === 'partial') {
      promise(Number.isFinite(outcome.rejectedItems), `${outcome.rejectedItems} items refused`);
      checkLine(outcome.message);
    }
    if (outcome.kind === 'retry' || outcome.kind === 'rejected') checkLine(outcome.reason);
    return 'accepted';
  },
};

function checkLine(line: string): void {
  promise(line.length <= MESSAGE_CHARACTERS_MAX, `a line of ${line.length} characters`);
  promise(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(line), 'characters that change what a log looks like');
}
