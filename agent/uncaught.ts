// What becomes of errors that nobody caught, in the main thread and in workers. Invariant: an error of a connection that is
// gone ends nothing; any other leaves unknown state behind, and so ends what it happened in.

import type { EventEmitter } from 'node:events';
import type { Logger } from '../config/logger.ts';

/** @param fatal ends the process or the thread; all that was acknowledged is on disk, so a fresh start is safe. Undo with what is returned. */
export function watchUncaught(
  process: Pick<EventEmitter, 'on' | 'off'>,
  logger: Logger,
  fatal: (origin: string, error: string) => void,
): () => void {
  const onUncaught = (error: unknown, origin?: unknown): void => {
    if (isConnectionGone(error)) {
      logger.warn('an error of a connection that is gone reached nobody', { error: describe(error) });
      return;
    }
    fatal(typeof origin === 'string' ? origin : 'unhandledRejection', describe(error));
  };
  const events = ['uncaughtException', 'unhandledRejection'];
  for (const event of events) process.on(event, onUncaught);
  return () => {
    for (const event of events) process.off(event, onUncaught);
  };
}

/** What a socket says when its peer went away leaves no unknown state behind, wherever it surfaces. */
const goneCodes = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_WRITE_AFTER_END',
  'ERR_HTTP2_STREAM_ERROR',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_HTTP2_INVALID_STREAM',
]);

function isConnectionGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && goneCodes.has(String(error.code));
}

export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
