// One worker as the main thread sees it: a thread that is started, asked, stopped, and started again when it has died.
// Invariant: at most one thread of a worker lives at a time, so its log never has two owners; who waits for an answer gets
// one, or hears that there is none.

import { Worker } from 'node:worker_threads';
import { HoldfastError } from '../../config/error.ts';
import type { Logger } from '../../config/logger.ts';
import type { Endpoint } from '../../receivers/receiver.ts';
import { describe } from '../uncaught.ts';
import type { FromWorker, PlainError, ToWorker, WorkerStart, WorkerState } from './messages.ts';

export interface ThreadOptions {
  readonly worker: number;
  /** The file that the thread begins with. */
  readonly entry: URL;
  /** What it is started with, now. */
  start(): WorkerStart;
  readonly logger: Logger;
  readonly heapMax_mb: number;
  /** The thread has ended without having been asked to, and its files and sockets are closed; it comes again by itself. */
  onDeath(): void;
  /** It listens again. */
  onReady(endpoints: readonly (readonly [string, readonly Endpoint[]])[]): void;
}

/** How long a worker may take to answer before it counts as stuck, ms. */
const ANSWER_MS_MAX = 2_000;
const BACK_OFF_MS_MIN = 100;
const BACK_OFF_MS_MAX = 10_000;
/** For what is left to be cut off before the thread is ended from outside, ms. */
const LAST_MOMENTS_MS = 500;
/** One that has run for so long has not died of what its start met, ms. */
const SETTLED_MS = 60_000;

export class WorkerThread {
  readonly #options: ThreadOptions;
  #thread: Worker | undefined;
  #isReady = false;
  #isStopping = false;
  /** A first start that fails is the business of who started it. */
  #hasRun = false;
  #readySince_ms = 0;
  #backOff_ms = BACK_OFF_MS_MIN;
  #again: NodeJS.Timeout | undefined;
  /** Why it is not there. */
  #trouble = 'starting';
  #asked:
    | { readonly answer: Promise<WorkerState | undefined>; settle(state?: WorkerState): void }
    | undefined;
  #stopped: ((failure: string | undefined) => void) | undefined;
  restarts = 0;

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Resolves when it listens. @throws HoldfastError what keeps it from it; it is not tried again */
  start(): Promise<void> {
    return new Promise((resolve, reject) => this.#begin(resolve, reject));
  }

  /** Why it takes nothing at present. */
  get trouble(): string | undefined {
    return this.#isReady ? undefined : this.#trouble;
  }

  /** Undefined where it is not there or does not answer. */
  ask(): Promise<WorkerState | undefined> {
    if (!this.#thread || !this.#isReady) return Promise.resolve(undefined);
    if (this.#asked) return this.#asked.answer;
    const { promise: answer, resolve } = Promise.withResolvers<WorkerState | undefined>();
    const late = setTimeout(() => this.#asked?.settle(), ANSWER_MS_MAX);
    this.#asked = {
      answer,
      settle: (state) => {
        clearTimeout(late);
        this.#asked = undefined;
        resolve(state);
      },
    };
    this.#say({ kind: 'ask' });
    return answer;
  }

  /** In good order; what is left when `deadline` aborts is cut off. @throws Error with what could not be done */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#again);
    const thread = this.#thread;
    if (!thread) return;
    const failure = await new Promise<string | undefined>((resolve) => {
      this.#stopped = resolve;
      const cut = (): void => {
        this.#say({ kind: 'cut' });
        setTimeout(() => void thread.terminate(), LAST_MOMENTS_MS).unref();
      };
      if (deadline.aborted) cut();
      else deadline.addEventListener('abort', cut, { once: true });
      this.#say({ kind: 'stop' });
    });
    if (failure !== undefined) throw new Error(`worker ${this.#options.worker}: ${failure}`);
  }

  #say(message: ToWorker): void {
    this.#thread?.postMessage(message);
  }

  #begin(ready: () => void, failed: (error: HoldfastError) => void): void {
    const { entry, heapMax_mb, start, worker } = this.#options;
    // What it writes to stdout, such as the debug exporter's text, comes out of this process's.
    const thread = new Worker(entry, {
      name: `holdfast worker ${worker}`,
      workerData: start(),
      resourceLimits: { maxOldGenerationSizeMb: heapMax_mb },
    });
    this.#thread = thread;
    let error: PlainError | undefined;
    let failure: string | undefined;
    thread.on('message', (message: FromWorker) => {
      if (message.kind === 'failed') error = message.error;
      else if (message.kind === 'stopped') failure = message.failure;
      else if (message.kind === 'ready') {
        this.#isReady = true;
        this.#readySince_ms = performance.now();
        if (this.#hasRun) this.#options.logger.info('the worker runs again');
        this.#hasRun = true;
        this.#options.onReady(message.endpoints);
        ready();
      } else this.#hear(message);
    });
    // 'exit' follows.
    thread.on('error', (cause: unknown) => {
      error = { code: 'HF_WORKER_DIED', message: describe(cause), retryable: true };
    });
    thread.on('exit', () => {
      const wasReady = this.#isReady;
      this.#thread = undefined;
      this.#isReady = false;
      this.#asked?.settle();
      const died = error ?? { code: 'HF_WORKER_DIED', message: 'it ended by itself', retryable: true };
      this.#trouble = died.message.split('\n', 1)[0]!;
      if (this.#isStopping) this.#stopped?.(failure ?? error?.message);
      else if (this.#hasRun) this.#died(died, wasReady);
      failed(new HoldfastError(died.code, died.message, died.retryable));
    });
  }

  #hear(message: Extract<FromWorker, { kind: 'log' | 'state' }>): void {
    if (message.kind === 'state') this.#asked?.settle(message.state);
    else this.#options.logger[message.level](message.message, message.fields);
  }

  #died({ code, message }: PlainError, wasReady: boolean): void {
    const { logger, onDeath } = this.#options;
    const ran_ms = wasReady ? performance.now() - this.#readySince_ms : 0;
    if (ran_ms > SETTLED_MS) this.#backOff_ms = BACK_OFF_MS_MIN;
    const after_ms = this.#backOff_ms;
    this.#backOff_ms = Math.min(BACK_OFF_MS_MAX, after_ms * 2);
    logger.error('the worker died and is started again; what it acknowledged is on disk', {
      code,
      error: message,
      after_ms,
    });
    onDeath();
    this.#again = setTimeout(() => {
      this.restarts += 1;
      this.#begin(ignore, ignore);
    }, after_ms);
  }
}

function ignore(): void {}
