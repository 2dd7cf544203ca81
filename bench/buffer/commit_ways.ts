// Ways for a commit to reach the disk, by themselves: what each costs in time and in CPU of the whole process. The second is
// what the log does, and the first where a directory refuses that. Invariant: whatever is compared is durable when the time is taken.

import fs from 'node:fs';
import path from 'node:path';
import { alignedMemory, openVectored, type VectoredFile } from '../../buffer/index.ts';
import { errorCode } from '../../buffer/ports/file_system.ts';
import { show } from '../figures.ts';
import type { Setting } from './figure.ts';

const KiB = 1024;
/** Commit sizes with how many commits a round takes. */
const SIZES: readonly (readonly [string, number, number])[] = [
  ['4 KiB', 4 * KiB, 150],
  ['190 KiB', 190 * KiB, 80],
  ['1 MiB', 1024 * KiB, 30],
];

interface Way {
  readonly name: string;
  readonly direct: boolean;
  /** Whether the file is there in its full length, every byte written before. */
  readonly recycled: boolean;
}

const WAYS: readonly Way[] = [
  { name: 'append + fdatasync', direct: false, recycled: false },
  { name: 'O_DIRECT and O_DSYNC, growing', direct: true, recycled: false },
  { name: 'O_DIRECT and O_DSYNC, into a recycled segment', direct: true, recycled: true },
];

interface Cost {
  readonly latency_ms: number;
  readonly cpu_us: number;
}

/** The table as Markdown. */
export async function measureCommitWays(setting: Setting): Promise<string> {
  const rows: string[] = [];
  for (const [label, bytes, commits] of SIZES) {
    const costs = new Map<Way, Cost[]>(WAYS.map((way) => [way, []]));
    let refused = '';
    for (let round = 1; round <= setting.rounds; round++) {
      for (const way of WAYS) {
        setting.progress(`commits of ${label}, ${way.name}, round ${round}`);
        try {
          costs.get(way)!.push(await commit(setting.work, way, bytes, commits));
        } catch (error) {
          if (!way.direct || errorCode(error) !== 'EINVAL') throw error;
          refused = 'refused by this file system';
        }
      }
    }
    for (const [way, all] of costs) {
      const of = (pick: (cost: Cost) => number, digits: number): string =>
        all.length === 0 ? refused : show(all.map(pick), digits);
      const [latency, cpu] = [of((cost) => cost.latency_ms, 2), of((cost) => cost.cpu_us, 0)];
      rows.push(`| ${label} | ${way.name} | ${latency} | ${cpu} |`);
    }
  }
  return `Latency is the median of a round's commits. The log takes the second way, or the first where that is refused.

| commit | way | ms | µs of CPU |
|---|---|---|---|
${rows.join('\n')}`;
}

async function commit(work: string, way: Way, bytes: number, commits: number): Promise<Cost> {
  const name = path.join(work, 'commits');
  fs.rmSync(name, { force: true });
  // What passes the cache goes in whole pages, as padded frames would.
  const memory = alignedMemory(bytes).fill(0x61);
  const piece = way.direct ? memory : memory.subarray(0, bytes);
  if (way.recycled) {
    const fd = fs.openSync(name, 'w');
    for (let each = 0; each < commits; each++) fs.writeSync(fd, piece);
    fs.fsyncSync(fd);
    fs.closeSync(fd);
  }
  const file = await openVectored(name, way.recycled ? 'write' : 'create', {
    direct: way.direct,
    durable: way.direct,
  });
  try {
    return await timed(file, piece, commits, !way.direct);
  } finally {
    await file.close();
    fs.rmSync(name);
  }
}

async function timed(file: VectoredFile, piece: Buffer, commits: number, sync: boolean): Promise<Cost> {
  const latencies: number[] = [];
  const before = process.cpuUsage();
  for (let each = 0; each < commits; each++) {
    const started_ms = performance.now();
    await file.writev([piece], each * piece.length);
    if (sync) await file.sync();
    latencies.push(performance.now() - started_ms);
  }
  const { user, system } = process.cpuUsage(before);
  latencies.sort((a, b) => a - b);
  return { latency_ms: latencies[latencies.length >> 1]!, cpu_us: (user + system) / commits };
}
