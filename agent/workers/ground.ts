// The folder of the workers' logs below the directory of the first. Invariant: while an agent has it, no other agent opens a
// log in it, nor takes the place of a worker that is just being restarted.

import { type FileSystem, type Lock, OwnerPresent } from '../../buffer/index.ts';
import { WORKERS_DIRECTORY } from '../../buffer/names.ts';
import { errorCode } from '../../buffer/ports/file_system.ts';

const LOG_NAME = /^[1-9]\d{0,4}$/;

/** Where the log of a worker stands. That of worker 0 is where an agent without workers has its only one. */
export function logDirectory(directory: string, log: number): string {
  return log === 0 ? directory : `${directory}/${WORKERS_DIRECTORY}/${log}`;
}

/** Numbers of the logs that workers beyond the first have left or have, ascending; reads only. */
export async function workerLogs(fileSystem: FileSystem, directory: string): Promise<number[]> {
  try {
    const names = await fileSystem.list(`${directory}/${WORKERS_DIRECTORY}`);
    return names
      .filter((name) => LOG_NAME.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Creates it where it is missing. To be called by who owns the log in `directory`. @throws OwnerPresent */
export async function takeGround(fileSystem: FileSystem, directory: string): Promise<Lock> {
  const ground = `${directory}/${WORKERS_DIRECTORY}`;
  if (await fileSystem.makeDirectory(ground)) await fileSystem.syncDirectory(directory);
  const lock = await fileSystem.lock(`${ground}/lock`);
  if (!lock) throw new OwnerPresent(ground, 'another process');
  return lock;
}
