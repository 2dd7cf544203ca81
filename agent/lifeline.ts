// The pipe through which a launcher that started this process is seen to live: when it closes, the launcher is gone.
// Invariant: an agent never outlives the launcher that holds its terminal and its signals.

import { Socket } from 'node:net';

export interface Lifeline {
  /** Resolves when the other end is closed. */
  readonly gone: Promise<void>;
  close(): void;
}

/** The descriptor that HOLDFAST_LIFELINE_FD names, if a launcher set it; undefined where there is no such pipe. */
export function watchLifeline(env: Readonly<Record<string, string | undefined>>): Lifeline | undefined {
  const text = env['HOLDFAST_LIFELINE_FD'];
  if (text === undefined || !/^[1-9]\d{0,4}$/.test(text)) return undefined;
  let pipe: Socket;
  try {
    // Not a file stream: its read would occupy a thread of the pool for as long as the process lives.
    pipe = new Socket({ fd: Number(text), readable: true, writable: false });
  } catch {
    return undefined;
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  pipe.on('close', () => resolve());
  pipe.on('error', () => {});
  pipe.resume();
  pipe.unref();
  return {
    gone: promise,
    close() {
      pipe.removeAllListeners('close');
      pipe.destroy();
    },
  };
}
