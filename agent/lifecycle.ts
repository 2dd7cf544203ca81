// What ends the process and how: signals, a lost launcher, and errors that nobody caught.
// Invariant: after the first request to stop the process is gone within the deadline, whatever hangs.

import type { EventEmitter } from 'node:events';
import type { Logger } from '../config/logger.ts';
import { describe, watchUncaught } from './uncaught.ts';

/** As much of `process` as ending it needs. */
export interface ProcessEvents extends Pick<EventEmitter, 'on' | 'off'> {
  exit(code: number): void;
}

export interface LifecycleOptions {
  readonly process: ProcessEvents;
  readonly logger: Logger;
  /** Stops everything in good order; `deadline` aborts shortly before the time is up, and what is left is cut off. */
  readonly stop: (deadline: AbortSignal) => Promise<void>;
  readonly timeout_ms: number;
  /** Called before the process ends at once, to write out what is held back. */
  readonly flush: () => void;
  /** Resolves when the launcher is gone; never for a process without one. */
  readonly orphaned?: Promise<void>;
}

/** Of the time to stop, how much is kept for cutting off what did not end by itself, ms. */
const LAST_MOMENTS_MS = 1_000;
/**
 * One ctrl-C can arrive twice: from the terminal, and from an npm or npx that passes on what it got itself. The same
 * signal within this time of the first is that one, ms.
 */
const ECHO_MS = 500;
const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

export interface Lifecycle {
  /** Resolves with the exit code when the process was asked to stop and everything has stopped. */
  readonly ended: Promise<number>;
  /** Listens no longer: there is nothing to stop. */
  leave(): void;
}

/** From now on signals and uncaught errors are answered. Call it before starting: a signal may come at any time. */
export function watchProcess(options: LifecycleOptions): Lifecycle {
  const { process, logger } = options;
  const { promise, resolve } = Promise.withResolvers<number>();
  let stopping = false;
  let echoOf: string | undefined;

  const exitNow = (code: number): void => {
    options.flush();
    process.exit(code);
  };
  const stop = (why: string): void => {
    stopping = true;
    logger.info('stopping', { why, timeout_ms: options.timeout_ms });
    const ended = stopWithin(options, exitNow);
    ended.then(resolve, (error: unknown) => {
      logger.error('stopping failed', { error: describe(error) });
      resolve(1);
    });
  };
  const onSignal = (signal: keyof typeof signalNumbers): void => {
    if (stopping) {
      if (signal === echoOf) return;
      logger.warn('second signal: leaving at once; what was acknowledged is on disk', { signal });
      exitNow(128 + signalNumbers[signal]);
      return;
    }
    echoOf = signal;
    const echo = setTimeout(() => {
      echoOf = undefined;
    }, ECHO_MS);
    echo.unref();
    stop(signal);
  };
  // The default of SIGHUP is to die; a reload that is not there yet must not be an outage.
  const onHangUp = (): void =>
    logger.warn('SIGHUP: reloading the configuration is not there yet; restart to apply changes');
  // All that was acknowledged is on disk, so a fresh start is safer than unknown state.
  const forgive = watchUncaught(process, logger, (origin, error) => {
    logger.error('internal error, the process ends; what was acknowledged is on disk', { origin, error });
    exitNow(1);
  });

  const listeners: readonly [string, (...args: never[]) => void][] = [
    ['SIGTERM', onSignal],
    ['SIGINT', onSignal],
    ['SIGHUP', onHangUp],
  ];
  for (const [event, listener] of listeners) process.on(event, listener as (...args: unknown[]) => void);
  void options.orphaned?.then(() => {
    if (!stopping) stop('the launcher is gone');
  });
  const leave = (): void => {
    forgive();
    for (const [event, listener] of listeners) process.off(event, listener as (...args: unknown[]) => void);
  };
  return { ended: promise.finally(leave), leave };
}

async function stopWithin(options: LifecycleOptions, exitNow: (code: number) => void): Promise<number> {
  const deadline = new AbortController();
  const soft_ms = Math.max(options.timeout_ms - LAST_MOMENTS_MS, options.timeout_ms / 2);
  const soft = setTimeout(() => deadline.abort(new Error('the time to stop is up')), soft_ms);
  const hard = setTimeout(() => {
    options.logger.warn('the time to stop is up: leaving; what was acknowledged is on disk');
    exitNow(0);
  }, options.timeout_ms);
  try {
    await options.stop(deadline.signal);
    return 0;
  } finally {
    clearTimeout(soft);
    clearTimeout(hard);
  }
}
