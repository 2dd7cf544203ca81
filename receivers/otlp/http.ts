// OTLP over HTTP: what its head says, and its body on the way to the intake.
// Invariant: what reaches the intake has passed the wire walk, whatever it was written in.

import type { IncomingMessage } from 'node:http';
import { JsonTranscoder } from '../../otlp/json/to_protobuf.ts';
import type { Signal } from '../../otlp/signal.ts';
import { type Authenticator, isAdmitted } from '../authenticator.ts';
import type { Intake, Ticket } from '../receiver.ts';
import type { Encoding } from '../server/answer.ts';
import type { Decompressed } from '../server/decompress/decompressed.ts';
import { HttpServer, type HttpService } from '../server/http_server.ts';
import { Unauthenticated } from '../server/refusal.ts';
import type { Surroundings } from '../server/surroundings.ts';
import type { HttpConfig } from './config.ts';
import { answerEncoding, type Head, type HeadRules, readHead, signalOf } from './head.ts';
import { take } from './take.ts';

const TRANSPORT = 'http';

/** @throws HoldfastError HF_RECEIVER_TLS */
export function otlpHttpServer(config: HttpConfig, surroundings: Surroundings): HttpServer<Head> {
  const { intake, guard } = surroundings;
  return new HttpServer(
    { ...config, protocol: TRANSPORT, endpointKey: 'protocols.http.endpoint' },
    surroundings,
    new OtlpOverHttp(config, intake, guard),
  );
}

class OtlpOverHttp implements HttpService<Head> {
  readonly #intake: Intake;
  readonly #guard: Authenticator | undefined;
  readonly #rules: HeadRules;
  readonly #transcoder: JsonTranscoder;

  constructor(config: HttpConfig, intake: Intake, guard: Authenticator | undefined) {
    this.#intake = intake;
    this.#guard = guard;
    this.#transcoder = new JsonTranscoder(config.max_request_body_size);
    this.#rules = {
      routes: new Map<string, Signal>([
        [config.traces_url_path, 'traces'],
        [config.metrics_url_path, 'metrics'],
        [config.logs_url_path, 'logs'],
      ]),
      signals: intake.signals,
      maxBody_bytes: config.max_request_body_size,
    };
  }

  readHead(request: IncomingMessage): Head {
    // Before anything else: who is not known learns nothing of what is served.
    if (this.#guard && !isAdmitted(this.#guard, request.headers)) {
      throw new Unauthenticated(this.#guard.challenge);
    }
    return readHead(request.method, request.url, request.headers, this.#rules);
  }

  take({ signal, encoding }: Head, { codec, stored, bytes }: Decompressed): Ticket | undefined {
    if (encoding === 'protobuf') return take(this.#intake, TRANSPORT, signal, codec, stored, bytes);
    const protobuf = this.#transcoder.transcode(signal, bytes);
    return take(this.#intake, TRANSPORT, signal, 'identity', protobuf, protobuf);
  }

  answerEncoding(request: IncomingMessage): Encoding {
    return answerEncoding(request.headers);
  }

  refused(request: IncomingMessage): void {
    const signal = signalOf(request.url, this.#rules.routes);
    if (signal) this.#intake.refused(signal, TRANSPORT, 0);
  }
}
