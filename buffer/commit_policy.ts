// What a user may say about commits, checked and completed. Invariant: what comes out of here can be relied upon without
// another look; what was left out is durable at once and wears the disk as little as that allows.

import { AdaptiveLinger } from './adaptive_linger.ts';
import { InvalidOption } from './errors.ts';
import type { Linger, SwitchPolicy } from './switch_policy.ts';

/**
 * What a resolved `durable` means. `fsync`: synced, it survives a power cut. `interval`: written, and synced within an
 * interval; a power cut takes what came since, a kill nothing. `os`: written, and synced when the system likes to.
 */
export type Durability = 'fsync' | 'interval' | 'os';

/** How commits are written: past the page cache where the directory takes that (`auto`, `direct`), or appended and synced. */
export type WayOption = 'auto' | 'append' | 'direct';

export interface CommitOptions {
  /** `direct` says aloud where it cannot be had; `auto` goes on with `append`. Default `auto`. */
  readonly way?: WayOption;
  /** How long a commit waits for company, ms: a number, or `adaptive`, 0 to 5 ms by what arrives. Default `adaptive`. */
  readonly linger_ms?: number | 'adaptive';
  /** What ends the wait early: a full block (`size`), nothing (`time`), or fill and time together (`weighted`). Default `weighted`. */
  readonly switchBy?: SwitchPolicy['by'];
  /** When a block counts as full. Default 256 KiB, a sixteenth of `inFlightMax_bytes` at most. */
  readonly switchBytes?: number;
  /** What time counts for in `weighted`, 0 to 1; fill counts for the rest. Default 0.4. */
  readonly timeWeight?: number;
  /** For `durability: 'interval'`: how long anything stays unsynced. Default 1 s. */
  readonly syncInterval_ms?: number;
}

export interface CommitPolicy {
  readonly way: WayOption;
  readonly durability: Durability;
  readonly syncInterval_ms: number;
  readonly switch: SwitchPolicy;
  readonly linger_ms: number | 'adaptive';
}

const ADAPTIVE_LIMIT_ms = 5;
const SWITCH_BYTES = 256 * 1024;

/** @throws InvalidOption */
export function commitPolicy(
  durability: Durability = 'fsync',
  options: CommitOptions = {},
  inFlightMax_bytes: number = Number.POSITIVE_INFINITY,
): CommitPolicy {
  const { linger_ms = 'adaptive', switchBy = 'weighted', timeWeight = 0.4, syncInterval_ms = 1000 } = options;
  const { switchBytes = SWITCH_BYTES, way = 'auto' } = options;
  check('way', way, ['auto', 'append', 'direct'].includes(way), 'auto, append or direct is');
  check(
    'durability',
    durability,
    ['fsync', 'interval', 'os'].includes(durability),
    'fsync, interval or os is',
  );
  check('linger_ms', linger_ms, linger_ms === 'adaptive' || linger_ms >= 0, 'adaptive or 0 ms and above is');
  check('switchBy', switchBy, ['size', 'time', 'weighted'].includes(switchBy), 'size, time or weighted is');
  check('switchBytes', switchBytes, switchBytes >= 1, '1 and above is');
  check('timeWeight', timeWeight, timeWeight >= 0 && timeWeight <= 1, '0 to 1 is');
  check('syncInterval_ms', syncInterval_ms, syncInterval_ms > 0, 'more than 0 ms is');
  // Many shards must not sit in their blocks on what all of them together may take.
  const max_bytes = Math.min(switchBytes, Math.max(1, inFlightMax_bytes / 16));
  return { way, durability, syncInterval_ms, linger_ms, switch: { by: switchBy, max_bytes, timeWeight } };
}

/** Each shard learns for itself. */
export function lingerOf(policy: CommitPolicy): Linger | AdaptiveLinger {
  if (policy.linger_ms === 'adaptive') return new AdaptiveLinger(ADAPTIVE_LIMIT_ms);
  return {
    max_ms: policy.linger_ms,
    enough_appends: Number.POSITIVE_INFINITY,
    crowd_ms: Number.POSITIVE_INFINITY,
  };
}

function check(option: string, value: unknown, valid: boolean, expected: string): void {
  if (!valid) throw new InvalidOption(option, value, expected);
}
