// One HTTP request and its answer, on undici's lowest layer: no streams, and no more of the answer is read than allowed.
// Invariant: settles exactly once, at the latest when the signal aborts; after that none of the body's bytes is read, even
// if the answer came before all of them had left.

import type { Dispatcher } from 'undici';
import { Departure } from './departure.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Empty when it was longer than `responseBytesMax`. */
  readonly body: Buffer;
  readonly truncated: boolean;
}

export interface ExchangeRequest {
  readonly origin: string;
  readonly path: string;
  /** Name, value, name, value, … */
  readonly headers: string[];
  readonly body: Uint8Array;
  readonly responseBytesMax: number;
}

/** Rejects with what the network did, or with the signal's reason. */
export function exchange(
  dispatcher: Dispatcher,
  request: ExchangeRequest,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(asError(signal.reason));
      return;
    }
    const handler = new AnswerHandler(request.responseBytesMax, signal, resolve, reject);
    const { origin, path, headers, body } = request;
    // Time-outs are the caller's, by its signal.
    dispatcher.dispatch(
      { origin, path, method: 'POST', headers, body, headersTimeout: 0, bodyTimeout: 0 },
      handler,
    );
  });
}

class AnswerHandler implements Dispatcher.DispatchHandler {
  readonly #responseBytesMax: number;
  readonly #signal: AbortSignal;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: Error) => void;
  readonly #departure = new Departure();
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: Answer['headers'] = {};
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** The whole answer, while the body still leaves. */
  #answered: Buffer | undefined;
  #settled = false;

  constructor(
    responseBytesMax: number,
    signal: AbortSignal,
    resolve: (answer: Answer) => void,
    reject: (error: Error) => void,
  ) {
    this.#responseBytesMax = responseBytesMax;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    signal.addEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    if (this.#answered) {
      // It said yes and does not want the rest.
      this.#departure.cut();
      this.#succeed(this.#answered, false);
      return;
    }
    const error = asError(this.#signal.reason);
    // Not begun yet: it is ended as soon as it would begin, before any byte of the body leaves.
    this.#controller?.abort(error);
    this.#fail(error);
  };

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(asError(this.#signal.reason));
    else this.#departure.begin();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Answer['headers'],
  ): void {
    this.#status = status;
    this.#headers = headers;
    if (Number(headers['content-length']) > this.#responseBytesMax) this.#truncate(controller);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#responseBytesMax) this.#truncate(controller);
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    if (this.#departure.underWay && this.#status < 300) {
      this.#answered = body;
      void this.#departure.left().then(() => this.#succeed(body, false));
      return;
    }
    this.#succeed(body, false);
    // Who said no needs no more of it.
    this.#departure.cut();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  /** The status is known, and that is enough: the connection is given up rather than the rest read. */
  #truncate(controller: Dispatcher.DispatchController): void {
    this.#chunks = [];
    this.#succeed(Buffer.alloc(0), true);
    controller.abort(new Error('the answer is longer than is read'));
  }

  #succeed(body: Buffer, truncated: boolean): void {
    if (this.#settled) return;
    this.#settle();
    this.#resolve({ status: this.#status, headers: this.#headers, body, truncated });
  }

  #fail(error: Error): void {
    if (this.#settled) return;
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.#settled = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
