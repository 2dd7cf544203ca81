// What lending and giving back one slot of the pool costs.

import { Pool } from '../../buffer/index.ts';
import type { Figure, Setting } from './figure.ts';

const LENDINGS = 1_000_000;

export async function measurePool(setting: Setting): Promise<Figure[]> {
  const pool = new Pool();
  return [128, 65_536].map((bytes) => {
    lend_ns(pool, bytes);
    const values = Array.from({ length: setting.rounds }, () => lend_ns(pool, bytes));
    setting.progress(`pool of ${bytes} B`);
    return {
      name: `pool: get + put of ${bytes.toLocaleString('en-US')} B`,
      unit: 'ns',
      digits: 0,
      values,
      target: { atMost: 50 },
    };
  });
}

function lend_ns(pool: Pool, bytes: number): number {
  const started_ms = performance.now();
  for (let lending = 0; lending < LENDINGS; lending++) pool.put(pool.get(bytes));
  return ((performance.now() - started_ms) * 1e6) / LENDINGS;
}
