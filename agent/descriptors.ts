// Who may have how many of the process's file descriptors. Without shares, clients that stay connected take them all, and
// the log can open no file to store what they send. Invariant: the shares together fit the limit.

import { readdirSync, readFileSync } from 'node:fs';

export interface Descriptors {
  /** What the system lets this process have. */
  readonly limit: number;
  /** Taken already: by Node itself, the standard streams, whatever was inherited. */
  readonly used: number;
}

export interface Demand {
  /** Servers that tell of the agent itself. */
  readonly adminServers: number;
  /** Requests that all exporters may have outstanding together. */
  readonly sends: number;
}

export interface Shares {
  /** Files of the log. */
  readonly log: number;
  /** Connections of each admin server. */
  readonly admin: number;
  /** Connections of all receivers together. */
  readonly receivers: number;
}

const LOG_MAX = 256;
const LOG_MIN = 8;
const ADMIN_MAX = 64;
/** The lock, the log's own output, a name being resolved. */
const SPARE_MIN = 4;
const SPARE_MAX = 64;
/** Where the system does not say what is in use: a little more than Node takes. */
const USED_GUESS = 32;

/** The log comes first; receivers have what is left, and one connection whatever happens. */
export function shareOut({ limit, used }: Descriptors, { adminServers, sends }: Demand): Shares {
  const log = Math.min(LOG_MAX, Math.max(LOG_MIN, Math.floor(limit / 4)));
  const admin = Math.min(ADMIN_MAX, Math.max(1, Math.floor(limit / 32)));
  const exporters = Math.min(sends, Math.floor(limit / 8));
  const spare = Math.min(SPARE_MAX, Math.max(SPARE_MIN, Math.floor(limit / 32)));
  const left = limit - used - log - admin * adminServers - exporters - spare;
  return { log, admin, receivers: Math.max(1, left) };
}

/** Undefined where the system does not say, or sets no limit. Node has raised its own to the hard one when it started. */
export function descriptorsNow(): Descriptors | undefined {
  try {
    const line = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line ? { limit: Number(line[1]), used: readdirSync('/proc/self/fd').length } : undefined;
  } catch {
    return limitReported();
  }
}

/** Without /proc: the diagnostic report knows the limit, not the use. */
function limitReported(): Descriptors | undefined {
  const report = process.report?.getReport() as
    | { readonly userLimits?: { readonly open_files?: { readonly soft?: unknown } } }
    | undefined;
  const limit = Number(report?.userLimits?.open_files?.soft);
  return Number.isSafeInteger(limit) ? { limit, used: USED_GUESS } : undefined;
}
