// Says whether the agent can keep its promise right now: started, and every shard able to write.
// Invariant: "available" is never said while an append could not become durable for another reason than a full disk.

import type { AdminReply, AdminRoute } from './server.ts';

/** What the agent knows about itself at the moment of asking; an empty list of problems means well. */
export interface Condition {
  readonly ready: boolean;
  /** What keeps data from being taken, such as a poisoned shard. */
  readonly problems: readonly string[];
  /** What works but needs somebody, such as a held exporter: reported, still 200. */
  readonly warnings: readonly string[];
}

export interface HealthOptions {
  readonly condition: () => Condition | Promise<Condition>;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt_ms: number;
  readonly now?: () => number;
}

/** The Collector's health_check answer, with the reasons added. */
export function healthRoute(options: HealthOptions): AdminRoute {
  const now = options.now ?? Date.now;
  return async (): Promise<AdminReply> => {
    const { ready, problems, warnings } = await options.condition();
    const well = ready && problems.length === 0;
    const body = {
      status: well ? 'Server available' : 'Server not available',
      upSince: new Date(options.startedAt_ms).toISOString(),
      uptime: uptime(now() - options.startedAt_ms),
      ...(ready ? {} : { reason: 'starting or stopping' }),
      ...(problems.length > 0 ? { problems } : {}),
      ...(warnings.length > 0 ? { warnings } : {}),
    };
    return { status: well ? 200 : 503, contentType: 'application/json', body: `${JSON.stringify(body)}\n` };
  };
}

/** As Go prints a duration, since that is what readers of the Collector's answer parse: `26h3m4.5s`. */
export function uptime(elapsed_ms: number): string {
  const total_ms = Math.max(0, Math.round(elapsed_ms));
  const hours = Math.floor(total_ms / 3_600_000);
  const minutes = Math.floor(total_ms / 60_000) % 60;
  const seconds = (total_ms % 60_000) / 1_000;
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
