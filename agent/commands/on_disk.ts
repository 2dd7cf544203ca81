// What the verbs that look at a log's files share: what the disk says becomes one line, and long work shows that it goes on.

import type { Damage, VerifyReport } from '../../buffer/index.ts';
import { nodeFileSystem } from '../../buffer/ports/node_file_system.ts';
import { HoldfastError } from '../../config/error.ts';
import type { Terminal } from '../terminal.ts';
import { logDirectory, workerLogs } from '../workers/ground.ts';

const STEP_BYTES = 256 * 1024 * 1024;

const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['EISDIR', 'is a directory: holdfast inspect takes one file of a log, holdfast verify the directory'],
  ['ENOTDIR', 'is a file: holdfast inspect takes it, the other commands want the directory of a log'],
]);

/** Runs `work`; a system error (no such file, no permission) is an operating error here, not a bug. */
export async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
    if (error instanceof HoldfastError || !/^E[A-Z0-9]+$/.test(code)) throw error;
    const reason = reasons.get(code) ?? `cannot be read: ${String((error as Error).message)}`;
    throw new HoldfastError('HF_BUFFER_DISK', `${path} ${reason}`, false, { cause: error });
  }
}

/** The log in `directory` and, each complete by itself, those of workers below it. */
export async function logsIn(directory: string): Promise<[string, ...string[]]> {
  const workers = await workerLogs(nodeFileSystem, directory);
  return [directory, ...workers.map((log) => logDirectory(directory, log))];
}

/** A line on stderr for every 256 MiB, rewritten in place on a terminal. */
export function progressOn(terminal: Terminal): (read_bytes: number, total_bytes: number) => void {
  let next_bytes = STEP_BYTES;
  return (read_bytes, total_bytes) => {
    if (read_bytes < next_bytes) return;
    next_bytes = read_bytes + STEP_BYTES;
    const share = Math.floor((100 * read_bytes) / Math.max(1, total_bytes));
    terminal.err(
      `${size(read_bytes)} of ${size(total_bytes)} read (${share} %)${terminal.errIsTerminal ? '\r' : '\n'}`,
    );
  };
}

/** What the log has not counted and kept aside before. */
export function unknownIn({ damage }: VerifyReport): readonly Damage[] {
  return damage.filter(({ known }) => !known);
}

export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${['KiB', 'MiB', 'GiB'][power - 1]}`;
}

/** `file  what  (where)`, one line each. */
export function damageLines(
  damage: readonly {
    readonly file: string;
    readonly message: string;
    readonly known: boolean;
    readonly stream?: string;
    readonly shard?: number;
    readonly position?: number;
    readonly bytes?: number;
    readonly from?: number;
    readonly to?: number;
  }[],
): string {
  return damage
    .map((one) => {
      const where = [
        one.stream === undefined ? '' : `${one.stream}/${one.shard}`,
        one.position === undefined ? '' : `position ${one.position}, ${one.bytes} bytes`,
        one.from === undefined ? '' : `offsets ${one.from} to ${one.to! - 1} (${one.to! - one.from} entries)`,
        one.known ? 'counted before' : '',
      ].filter((part) => part !== '');
      return `${one.file}: ${one.message}${where.length > 0 ? ` (${where.join('; ')})` : ''}\n`;
    })
    .join('');
}
