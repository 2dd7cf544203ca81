// What the HTTP receiver makes of requests: the route, who may use it, and the body's records on the way to the intake.
// Invariant: a body is read only for a route that knows the sender, and reaches the intake whole or not at all.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { type AttributeKey, attributeKey } from '../../otlp/log_record.ts';
import { rpcCode } from '../../otlp/status.ts';
import { type Authenticator, authenticatorOf, isAdmitted } from '../authenticator.ts';
import type { Intake, ReceiverContext, Ticket } from '../receiver.ts';
import { type Encoding, refusalHeaders } from '../server/answer.ts';
import type { Decompressed } from '../server/decompress/decompressed.ts';
import { type Digest, digestOf, isSame } from '../server/equal.ts';
import { compressionOf, declaredLength, type HttpHead, mediaType, pathOf } from '../server/http_head.ts';
import type { HttpService } from '../server/http_server.ts';
import { Refusal, refusalOf, tooLarge, Unauthenticated } from '../server/refusal.ts';
import { writeRecords } from './body.ts';
import type { BodyFormat, HttpReceiverConfig, RouteConfig } from './config.ts';
import { MalformedBody } from './malformed_body.ts';
import { type Picks, picksOf } from './picks.ts';
import { RecordWriter, type RequestContext } from './records.ts';
import { type Shown, Signature } from './signature.ts';

export const TRANSPORT = 'http';

/** What a Content-Type says of a body, for `format: auto`; everything else is lines of text. */
const formats: ReadonlyMap<string, BodyFormat> = new Map([
  ['application/json', 'json'],
  ['text/json', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
  ['application/x-jsonlines', 'ndjson'],
  ['application/json-lines', 'ndjson'],
  ['application/octet-stream', 'raw'],
]);

interface Route {
  readonly config: RouteConfig;
  readonly picks: Picks;
  readonly guard: Authenticator | undefined;
  readonly signature: Signature | undefined;
  readonly required: { readonly header: string; readonly digest: Digest } | undefined;
  readonly headers: readonly (readonly [name: string, key: AttributeKey])[];
  readonly query: readonly (readonly [name: string, key: AttributeKey])[];
}

interface Head extends HttpHead {
  readonly route: Route;
  readonly format: BodyFormat;
  readonly attributes: RequestContext['attributes'];
  /** The signature that is to be checked once the body is there. */
  readonly shown: Shown | undefined;
}

export class HttpRecords implements HttpService<Head> {
  readonly #config: HttpReceiverConfig;
  readonly #intake: Intake;
  readonly #guard: Authenticator | undefined;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #records: RecordWriter;

  /** @throws HoldfastError HF_RECEIVER_AUTH */
  constructor(config: HttpReceiverConfig, intake: Intake, authenticators: ReceiverContext['authenticators']) {
    this.#config = config;
    this.#intake = intake;
    this.#guard = authenticatorOf(config.auth, authenticators);
    this.#records = new RecordWriter(config.max_request_body_size);
    this.#routes = new Map(
      config.routes.map((route) => {
        const guard = route.auth ? authenticatorOf(route.auth, authenticators) : this.#guard;
        return [route.path, routeOf(route, guard)];
      }),
    );
  }

  answers(request: IncomingMessage, response: ServerResponse): boolean {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    if (pathOf(request.url) !== this.#config.health_path) return false;
    let refusal: Refusal | undefined;
    try {
      this.#intake.admit(0);
    } catch (error) {
      refusal = refusalOf(error);
    }
    const text = refusal ? '{"status":"unavailable"}' : '{"status":"ok"}';
    const headers = refusal
      ? refusalHeaders(refusal, 'json', text.length)
      : { 'Content-Type': 'application/json' };
    response.writeHead(refusal?.http ?? 200, headers).end(text);
    request.resume();
    return true;
  }

  readHead(request: IncomingMessage): Head {
    const { headers } = request;
    const route = this.#routes.get(pathOf(request.url));
    // Who is not known learns nothing of what is served.
    const guard = route ? route.guard : this.#guard;
    if (guard && !isAdmitted(guard, headers)) throw new Unauthenticated(guard.challenge);
    if (!route) throw new Refusal(404, rpcCode.UNIMPLEMENTED, 'no such path');
    const shown = shownBy(route, headers);
    if (request.method !== 'POST') throw new Refusal(405, rpcCode.UNIMPLEMENTED, 'only POST is taken here');
    const length = declaredLength(headers);
    const limit = this.#config.max_request_body_size;
    if (length !== undefined && length > limit) throw tooLarge(limit, 'the body');
    const { format } = route.config;
    return {
      route,
      shown,
      length,
      compression: compressionOf(headers['content-encoding']),
      format: format === 'auto' ? (formats.get(mediaType(headers['content-type'])) ?? 'text') : format,
      attributes: attributesOf(route, request),
    };
  }

  verify({ route, shown }: Head, arrived: Buffer): void {
    if (route.signature && !(shown && route.signature.fits(shown, arrived))) throw unsigned();
  }

  take({ route, format, attributes }: Head, { bytes }: Decompressed): Ticket | undefined {
    const { config, picks } = route;
    const context = { route: config, picks, attributes, observed_ms: Date.now() };
    try {
      writeRecords(this.#records, format, bytes, context);
    } catch (error) {
      this.#records.reset();
      throw error;
    }
    const gathered = this.#records.finish();
    if (!gathered) return undefined;
    const entry = {
      ...gathered,
      signal: 'logs',
      codec: 'identity',
      rawLength: gathered.bytes.length,
    } as const;
    return this.#intake.append(entry, TRANSPORT);
  }

  answerEncoding(): Encoding {
    return 'json';
  }

  refused(_request: IncomingMessage, error: unknown): void {
    this.#intake.refused('logs', TRANSPORT, error instanceof MalformedBody ? error.items : 0);
  }
}

function routeOf(config: RouteConfig, guard: Authenticator | undefined): Route {
  const { required_header: required } = config;
  return {
    config,
    guard,
    picks: picksOf(config),
    signature: config.signature && new Signature(config.signature),
    required: required && { header: required.key.toLowerCase(), digest: digestOf(required.value.reveal()) },
    headers: config.headers.map((name) => {
      const lower = name.toLowerCase();
      return [lower, attributeKey(`http.request.header.${lower}`)] as const;
    }),
    query: config.query.map((name) => [name, attributeKey(`url.query.${name}`)] as const),
  };
}

/** @returns the signature to check, if the route asks for one. @throws Unauthenticated */
function shownBy({ required, signature }: Route, headers: IncomingHttpHeaders): Shown | undefined {
  if (required) {
    const value = headers[required.header];
    if (!isSame(digestOf(typeof value === 'string' ? value : ''), required.digest)) {
      throw new Unauthenticated('Header realm="http"');
    }
  }
  const shown = signature?.shown(headers, Date.now());
  if (signature && !shown) throw unsigned();
  return shown;
}

function unsigned(): Unauthenticated {
  return new Unauthenticated('Signature realm="http"');
}

function attributesOf({ headers, query }: Route, request: IncomingMessage): RequestContext['attributes'] {
  if (headers.length === 0 && query.length === 0) return [];
  const found: [AttributeKey, string | string[]][] = [];
  for (const [name, key] of headers) {
    const values = request.headersDistinct[name];
    // Header values are a list (OpenTelemetry, semantic conventions of HTTP).
    if (values) found.push([key, values.map(wellFormed)]);
  }
  if (query.length > 0) {
    const target = request.url ?? '';
    const at = target.indexOf('?');
    const parameters = new URLSearchParams(at < 0 ? '' : target.slice(at + 1));
    for (const [name, key] of query) {
      const value = parameters.get(name);
      if (value !== null) found.push([key, wellFormed(value)]);
    }
  }
  return found;
}

function wellFormed(text: string): string {
  return text.toWellFormed();
}
