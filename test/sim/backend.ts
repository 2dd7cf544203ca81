// A destination on its bad days, at the end of a simulated connection: it accepts and says nothing, asks for patience,
// refuses everything, answers garbage or without end. Invariant: what it takes and what it answers follow from its seed
// and its mood; what it accepted it remembers, through every crash of the agent.

import type { Dispatcher } from 'undici';
import { encodeExportResponse } from '../../otlp/response.ts';
import type { SimClock } from './clock.ts';
import type { SeededRandom } from './random.ts';

export const moods = [
  'healthy',
  'slow',
  'silent',
  'resets',
  'throttles',
  'partial',
  'garbage',
  'giant',
  'refuses',
  'flaky',
  'small',
  'dead',
] as const;
export type Mood = (typeof moods)[number];

/** What a request holds, by the backend's own reading of its bytes. */
export interface Arrived {
  readonly ids: readonly number[];
  /** One of them is such that this backend will never take it. */
  readonly poisoned: boolean;
}

export interface BackendParts {
  readonly name: string;
  readonly clock: SimClock;
  readonly random: SeededRandom;
  /** Reads a body. */
  readonly read: (body: Uint8Array) => Arrived;
  readonly event: (line: string) => void;
}

type Handler = Dispatcher.DispatchHandler;

interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
}

/** The largest body that it takes in the mood `small`; no entry alone is larger. */
const SMALL_BYTES = 4_096;
export const GIANT_CHUNK_BYTES = 16 * 1024;
const GIANT_CHUNKS = 32;
const giantChunk = Buffer.alloc(GIANT_CHUNK_BYTES, 0x08);
const REFUSALS = [401, 403, 404, 500, 302] as const;
const PROTOBUF = { 'content-type': 'application/x-protobuf' };

export class Backend {
  mood: Mood = 'healthy';
  /** Since when it is in this mood, ms of virtual time. */
  since_ms = 0;
  /** False once somebody has mended what it would not take. */
  refusesPoison = true;
  readonly requestsIn = Object.fromEntries(moods.map((mood) => [mood, 0])) as Record<Mood, number>;
  /** All that it ever took. */
  readonly accepted = new Set<number>();
  /** The most bytes of one answer that anybody took. */
  answerTaken_bytes = 0;
  readonly #parts: BackendParts;
  /** Its own: a crash of the agent stops nothing here. */
  readonly #life = { dead: false };
  #refusal: number = 401;

  constructor(parts: BackendParts) {
    this.#parts = parts;
  }

  become(mood: Mood): void {
    const { clock, event, name, random } = this.#parts;
    this.mood = mood;
    this.since_ms = clock.time_ms;
    if (mood === 'refuses') this.#refusal = random.pick(REFUSALS);
    event(`${name} ${mood}`);
  }

  /** The end of a connection that an agent holds; nobody hears an answer once `alive` says no. */
  connection(alive: () => boolean): Dispatcher {
    const dispatch = (options: { readonly body?: unknown }, handler: Handler): boolean => {
      this.#later(0.5 + this.#parts.random.next(), () => {
        if (alive()) new Exchange(handler, alive).begin(this, options.body as Uint8Array);
      });
      return true;
    };
    return { dispatch } as unknown as Dispatcher;
  }

  /** A request has arrived. */
  take(exchange: Exchange, body: Uint8Array): void {
    const { event, name, random, read } = this.#parts;
    this.requestsIn[this.mood] += 1;
    if (this.mood === 'dead') {
      exchange.fail('ECONNREFUSED');
      return;
    }
    const arrived = read(body);
    event(`${name} ${this.mood} takes ${arrived.ids.length} from ${arrived.ids[0]}`);
    const latency_ms = this.mood === 'slow' ? random.next() * 20_000 : 1 + random.next() * 40;
    this.#later(latency_ms, () => this.#answer(exchange, arrived, body.length));
  }

  /** What the mood of the moment makes of a request that arrived a while ago. */
  #answer(exchange: Exchange, arrived: Arrived, bytes: number): void {
    const { random } = this.#parts;
    const yes = (): void => exchange.reply({ status: 200, headers: PROTOBUF });
    const usual = (): void => this.#refusesOr(exchange, arrived, yes);
    const inMood: Record<Mood, () => void> = {
      healthy: usual,
      slow: usual,
      dead: () => exchange.fail('ECONNRESET'),
      silent: () => this.#decide(arrived),
      resets: () => {
        if (random.chance(0.5)) this.#decide(arrived);
        exchange.fail('ECONNRESET');
      },
      throttles: () => exchange.reply(this.#throttled()),
      refuses: () => exchange.reply({ status: this.#refusal, headers: { location: 'http://elsewhere' } }),
      flaky: () => (random.chance(0.1) ? exchange.reply({ status: 500 }) : usual()),
      small: () => (bytes > SMALL_BYTES ? exchange.reply({ status: 413 }) : usual()),
      partial: () => this.#partly(exchange, arrived),
      garbage: () => {
        const nonsense = this.#garbage();
        this.#refusesOr(exchange, arrived, () => exchange.reply({ status: 200, ...nonsense }));
      },
      giant: () => this.#refusesOr(exchange, arrived, () => this.#withoutEnd(exchange)),
    };
    inMood[this.mood]();
  }

  /** Takes what it would take, whether or not anybody will hear of it. */
  #decide(arrived: Arrived): void {
    if (!(arrived.poisoned && this.refusesPoison)) this.#accept(arrived);
  }

  #accept({ ids }: Arrived): void {
    for (const id of ids) this.accepted.add(id);
  }

  #refusesOr(exchange: Exchange, arrived: Arrived, accept: () => void): void {
    if (arrived.poisoned && this.refusesPoison) {
      exchange.reply({ status: 400, headers: PROTOBUF, body: Buffer.from([0x12, 0x01, 0x78]) });
      return;
    }
    this.#accept(arrived);
    accept();
  }

  #partly(exchange: Exchange, arrived: Arrived): void {
    this.#accept(arrived);
    const rejectedItems = this.#parts.random.integer(arrived.ids.length + 1);
    const body = encodeExportResponse({ partial: { rejectedItems, message: 'some of it' } });
    exchange.reply({ status: 200, headers: PROTOBUF, body });
  }

  #throttled(): Reply {
    const { clock, random } = this.#parts;
    const status = random.pick([429, 429, 503, 502, 504]);
    const seconds = random.pick([1, 5, 60, 120]);
    const kind = random.next();
    if (kind < 0.3) return { status };
    if (kind < 0.9) return { status, headers: { 'retry-after': String(seconds) } };
    const date = new Date(clock.of(this.#life).now() + seconds * 1000).toUTCString();
    return { status, headers: { 'retry-after': random.chance(0.7) ? date : 'soon' } };
  }

  /** Said with a 2xx it is a yes all the same: the status alone decides (OTLP/HTTP Response). */
  #garbage(): Omit<Reply, 'status'> {
    const { random } = this.#parts;
    const type = random.pick(['application/x-protobuf', 'application/json', 'text/html', 'x']);
    const body = Buffer.from(Array.from({ length: random.integer(60) }, () => random.integer(256)));
    return { headers: { 'content-type': type }, body };
  }

  #withoutEnd(exchange: Exchange): void {
    const announced = this.#parts.random.chance(0.3);
    exchange.start(200, announced ? { ...PROTOBUF, 'content-length': String(2 ** 31) } : PROTOBUF);
    const next = (chunk: number): void => {
      if (exchange.over) return;
      if (chunk >= GIANT_CHUNKS) {
        exchange.end();
        return;
      }
      exchange.data(giantChunk);
      this.answerTaken_bytes = Math.max(this.answerTaken_bytes, (chunk + 1) * GIANT_CHUNK_BYTES);
      this.#later(0.1, () => next(chunk + 1));
    };
    next(0);
  }

  #later(delay_ms: number, callback: () => void): void {
    this.#parts.clock.after(delay_ms, this.#life, callback);
  }
}

/** One request and its answer, as undici's lowest layer tells it to whoever asked. */
class Exchange {
  over = false;
  readonly #handler: Handler;
  readonly #alive: () => boolean;
  readonly #controller: Dispatcher.DispatchController;

  constructor(handler: Handler, alive: () => boolean) {
    this.#handler = handler;
    this.#alive = alive;
    this.#controller = {
      abort: () => {
        this.over = true;
      },
    } as unknown as Dispatcher.DispatchController;
  }

  begin(backend: Backend, body: Uint8Array): void {
    this.#handler.onRequestStart?.(this.#controller, {});
    // Given up before it began: no byte of it leaves.
    if (!this.over) backend.take(this, body);
  }

  reply({ status, headers = {}, body = Buffer.alloc(0) }: Reply): void {
    this.start(status, headers);
    if (body.length > 0) this.data(Buffer.from(body));
    this.end();
  }

  start(status: number, headers: Record<string, string>): void {
    if (this.#silent) return;
    this.#handler.onResponseStart?.(this.#controller, status, headers);
  }

  data(chunk: Buffer): void {
    if (!this.#silent) this.#handler.onResponseData?.(this.#controller, chunk);
  }

  end(): void {
    if (!this.#silent) this.#handler.onResponseEnd?.(this.#controller, {});
    this.over = true;
  }

  fail(code: string): void {
    if (!this.#silent)
      this.#handler.onResponseError?.(this.#controller, Object.assign(new Error(code), { code }));
    this.over = true;
  }

  get #silent(): boolean {
    this.over ||= !this.#alive();
    return this.over;
  }
}
