// What an HTTP answer means for a batch, by the OTLP specification ("OTLP/HTTP Response", "Failures"). Pure; never
// throws, whatever a backend sends, and nothing of an answer reaches a log uncut or with control characters.

import { decodeExportResponse, type ExportResponse, exportResponseFromJson } from '../../otlp/response.ts';
import type { Signal } from '../../otlp/signal.ts';
import { decodeStatus, type RpcStatus, statusFromJson } from '../../otlp/status.ts';
import type { Outcome } from '../exporter.ts';
import { tidy } from '../otlp/reason.ts';
import type { Answer } from './exchange.ts';

const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const PAYLOAD_TOO_LARGE = 413;
/** Of a plain text, more than is shown, so that a secret is not cut before it is found. */
const TEXT_BYTES_MAX = 16 * 1024;

type Clean = (text: string) => string;

/** `now_ms` is the wall clock, for a Retry-After that is a date. `clean` takes out what must not be repeated. */
export function outcomeOf(signal: Signal, answer: Answer, now_ms: number, clean: Clean): Outcome {
  const { status } = answer;
  if (status >= 200 && status < 300) return accepted(signal, answer, clean);
  const said = statusOf(answer);
  const message = tidy(clean(said === undefined ? textOf(answer) : said.message));
  const reason = message === '' ? `HTTP ${status}` : `HTTP ${status}: ${message}`;
  if (RETRYABLE.has(status)) {
    const after_ms = retryAfter_ms(first(answer.headers['retry-after']), now_ms) ?? said?.retryDelay_ms;
    return { kind: 'retry', reason, ...(after_ms === undefined ? {} : { after_ms }) };
  }
  if (status === PAYLOAD_TOO_LARGE) return { kind: 'rejected', reason, tooLarge: true };
  if (status >= 300 && status < 400) {
    return { kind: 'rejected', reason: `HTTP ${status}: a redirect, which is not followed` };
  }
  return { kind: 'rejected', reason };
}

function accepted(signal: Signal, answer: Answer, clean: Clean): Outcome {
  let response: ExportResponse | undefined;
  const type = contentType(answer);
  if (type === 'application/x-protobuf') response = decodeExportResponse(answer.body);
  else if (type === 'application/json')
    response = exportResponseFromJson(signal, answer.body.toString('utf8'));
  const partial = response?.partial;
  if (partial === undefined) return { kind: 'delivered' };
  return { kind: 'partial', rejectedItems: partial.rejectedItems, message: tidy(clean(partial.message)) };
}

function statusOf(answer: Answer): RpcStatus | undefined {
  const type = contentType(answer);
  if (type === 'application/x-protobuf') return decodeStatus(answer.body);
  if (type === 'application/json') return statusFromJson(answer.body.toString('utf8'));
  return undefined;
}

/** Proxies answer in plain text; a page of HTML says nothing that belongs into a log. */
function textOf(answer: Answer): string {
  const type = contentType(answer);
  if (type !== 'text/plain' && type !== 'application/json') return '';
  return answer.body.toString('utf8', 0, TEXT_BYTES_MAX);
}

function contentType(answer: Answer): string {
  return (first(answer.headers['content-type']) ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

function first(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

/** RFC 9110, 10.2.3: seconds, or an HTTP date. Undefined when it is neither; a date in the past is 0. */
export function retryAfter_ms(value: string | undefined, now_ms: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000;
  // The three forms of RFC 9110, 5.6.7, all begin with the day's name.
  if (text.length > 64 || !/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text)) return undefined;
  const date_ms = Date.parse(/GMT$/.test(text) ? text : `${text} GMT`);
  return Number.isNaN(date_ms) ? undefined : Math.max(0, date_ms - now_ms);
}
