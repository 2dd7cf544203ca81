// Opening a large log, in a process of its own as after a restart: how long, how much memory when idle, and how soon the
// oldest and the newest entry are at hand. Invariant: the process that is measured runs what the package ships.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Figure, Setting } from './figure.ts';
import { filledLog } from './fill.ts';

const PROGRAM = fileURLToPath(new URL('open_once.js', import.meta.url));

/** What the program prints. */
interface Opened {
  readonly open_ms: number;
  readonly rss_bytes: number;
  readonly append_ms: number;
  readonly oldest_ms: number;
  readonly newest_ms: number;
}

export async function measureOpen(setting: Setting): Promise<Figure[]> {
  const figures = await measureSize(setting, 1, 100);
  if (setting.large) figures.push(...(await measureSize(setting, 10, 1000)));
  return figures;
}

async function measureSize(setting: Setting, size_GiB: number, atMost_ms: number): Promise<Figure[]> {
  setting.progress(`filling a log of ${size_GiB} GiB`);
  const directory = await filledLog(setting.work, 'open', size_GiB * 256 * 1024, 4096);
  const opened: Opened[] = [];
  for (let round = 1; round <= setting.rounds; round++) {
    setting.progress(`opening ${size_GiB} GiB, round ${round}`);
    const output = execFileSync(process.execPath, [PROGRAM, directory], { encoding: 'utf8' });
    opened.push(JSON.parse(output));
  }
  fs.rmSync(directory, { recursive: true });
  const of = (name: string, unit: string, values: number[], atMost?: number): Figure => ({
    name: `${size_GiB} GiB: ${name}`,
    unit,
    digits: 1,
    values,
    ...(atMost === undefined ? {} : { target: { atMost } }),
  });
  return [
    of(
      'open',
      'ms',
      opened.map((each) => each.open_ms),
      atMost_ms,
    ),
    of(
      'RSS of the process, open and idle',
      'MB',
      opened.map((each) => each.rss_bytes / 1e6),
      100,
    ),
    of(
      'append one entry, durable',
      'ms',
      opened.map((each) => each.append_ms),
    ),
    of(
      'read the oldest entry',
      'ms',
      opened.map((each) => each.oldest_ms),
    ),
    of(
      'read the newest entry',
      'ms',
      opened.map((each) => each.newest_ms),
    ),
  ];
}
