// How many workers run: what was asked for, where the system can share a port among them.

import { availableParallelism } from 'node:os';
import type { Report } from './report.ts';

/** Where libuv can set SO_REUSEPORT so that the kernel shares connections out; FreeBSD's own name for it is SO_REUSEPORT_LB. */
const SHARE_PORTS: ReadonlySet<NodeJS.Platform> = new Set(['linux', 'freebsd', 'sunos', 'aix']);

/** Cores are those that the process may use, whether affinity or a control group says so. */
export function checkWorkers(
  report: Report,
  asked: number | 'auto',
  platform: NodeJS.Platform = process.platform,
  cores: number = availableParallelism(),
): number {
  const shares = SHARE_PORTS.has(platform);
  if (asked === 'auto') return shares ? Math.min(cores, 64) : 1;
  if (asked > 1 && !shares) {
    report.error(['service', 'workers'], `${platform} cannot share a port among threads`, {
      expected: '1 or auto here',
    });
  }
  return asked;
}
