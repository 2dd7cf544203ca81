// The file of a unix socket: what an agent that was killed left behind is removed, and nothing else.
// Invariant: only a socket that nobody answers on is ever unlinked, and from its first moment only its owner may connect.

import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { isMainThread } from 'node:worker_threads';

/** Removes `path` if it is a socket without a listener. Whatever else is there is left for `listen` to fail on. */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found?.isSocket() || !(await isAbandoned(path))) return;
  unlinkSync(path);
}

/** Runs `listen`, which creates the socket at once, so that the file never had wider rights than `mode`. */
export function withSocketMode(path: string, mode: number, listen: () => void): void {
  // The mask belongs to the process and may be changed by its main thread only.
  const before = isMainThread ? process.umask(~mode & 0o777) : undefined;
  try {
    listen();
  } finally {
    if (before !== undefined) process.umask(before);
  }
  // A bind that failed is reported by an event; then there may be no file.
  if (before === undefined && lstatSync(path, { throwIfNoEntry: false })?.isSocket()) chmodSync(path, mode);
}

function isAbandoned(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
