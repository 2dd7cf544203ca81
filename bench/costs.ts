// What a piece of work cost a contestant, per item. Invariant: both states are of the same process tree, before and after.

import type { ProcessFigures } from './proc.ts';

/** By the keys of the scenario's metrics. */
export type Figures = Readonly<Record<string, number>>;

/** @param wall_ms for all of `items` */
export function costs(
  before: ProcessFigures,
  after: ProcessFigures,
  items: number,
  wall_ms: number,
): Figures {
  return {
    cpu_s_per_million: ((after.cpu_s - before.cpu_s) / items) * 1e6,
    items_per_s: (items / wall_ms) * 1000,
    rss_peak_bytes: after.rssPeak_bytes,
  };
}
