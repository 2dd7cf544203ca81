// What the kernel says of a process: CPU, memory, bytes to the device. Linux only (/proc).

import { readFileSync } from 'node:fs';

/** USER_HZ is 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;

export interface ProcessFigures {
  /** User and system time of all threads, s. */
  readonly cpu_s: number;
  readonly rss_bytes: number;
  readonly rssPeak_bytes: number;
  /** Bytes that were sent to the storage layer. */
  readonly written_bytes: number;
}

export function processFigures(pid: number): ProcessFigures {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command may hold spaces; the fields begin behind its closing parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  return {
    cpu_s: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S,
    rss_bytes: kilobytes(status, 'VmRSS') * 1024,
    rssPeak_bytes: kilobytes(status, 'VmHWM') * 1024,
    written_bytes: Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? 0),
  };
}

function kilobytes(status: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
}
