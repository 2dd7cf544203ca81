// What the kernel says of a process and its children: CPU, memory, bytes to the device. Linux only (/proc).

import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ is 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;

export interface ProcessFigures {
  /** User and system time of all threads, also of children that ended, s. */
  readonly cpu_s: number;
  readonly rss_bytes: number;
  /** The sum of each process's own peak. */
  readonly rssPeak_bytes: number;
  /** Bytes that were sent to the storage layer. */
  readonly written_bytes: number;
}

/** Of the whole tree below and with `pid`. */
export function processFigures(pid: number): ProcessFigures {
  return childrenOf(pid).map(processFigures).reduce(sum, ownFigures(pid));
}

function ownFigures(pid: number): ProcessFigures {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command may hold spaces; the fields begin behind its closing parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime, stime, and both of children that were waited for.
  const ticks = fields.slice(11, 15).reduce((total, field) => total + Number(field), 0);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  return {
    cpu_s: ticks / TICKS_PER_S,
    rss_bytes: kilobytes(status, 'VmRSS') * 1024,
    rssPeak_bytes: kilobytes(status, 'VmHWM') * 1024,
    written_bytes: Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? 0),
  };
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

function sum(one: ProcessFigures, other: ProcessFigures): ProcessFigures {
  return {
    cpu_s: one.cpu_s + other.cpu_s,
    rss_bytes: one.rss_bytes + other.rss_bytes,
    rssPeak_bytes: one.rssPeak_bytes + other.rssPeak_bytes,
    written_bytes: one.written_bytes + other.written_bytes,
  };
}

function kilobytes(status: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
}
