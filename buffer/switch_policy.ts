// When the active block is switched for the passive one, as a pure function of what stands in it. It is asked only while
// no commit is under way, as there are two blocks. Invariant: whatever the policy, nothing waits longer than the linger.

/**
 * Why blocks were switched. `idle`: the disk was free and nobody else was expected. `joined`: all came who were expected, or a
 * crowd of them within its time.
 * `size`, `time`: that limit alone. `weighted`: both together. `asked`: sync, close, or somebody who needs the disk.
 */
export const switchReasons = ['idle', 'joined', 'size', 'time', 'weighted', 'asked'] as const;
export type SwitchReason = (typeof switchReasons)[number];

export interface SwitchPolicy {
  /** `size`: full, or the linger is over. `time`: the linger is over, however full. `weighted`: as `size`, and by both together. */
  readonly by: 'size' | 'time' | 'weighted';
  /** From here on more entries in one commit would save little: the transfer costs what the sync does. */
  readonly max_bytes: number;
  /** How much time counts in `weighted`, 0 to 1; what is left counts the fill. */
  readonly timeWeight: number;
}

/** How long a block may wait for company, ms (0: not at all), and how many appends are company enough. */
export interface Linger {
  readonly max_ms: number;
  readonly enough_appends: number;
  /** At which age a block with a crowd in it waits for nobody else, ms. */
  readonly crowd_ms: number;
}

/** With so many appends a commit costs each of them little: those who are late are waited for, but not for long. */
export const CROWD_APPENDS = 16;

export interface ActiveBlock {
  readonly fill_bytes: number;
  /** Since its first entry, ms. */
  readonly age_ms: number;
  readonly appends: number;
  readonly asked: boolean;
}

/** Time and fill that are both half used up are reason enough: either alone switches later, or by its own limit. */
const WEIGHTED_LIMIT = 0.5;
/** Sums of times are not exact: what is left after a timer has fired may be less than any clock can tell. */
const CLOCK_ERROR_ms = 0.001;

/** The reason to switch now, or how many ms to wait if nothing else is appended. */
export function decideSwitch(
  policy: SwitchPolicy,
  active: ActiveBlock,
  linger: Linger,
): SwitchReason | number {
  if (active.asked) return 'asked';
  if (linger.max_ms <= 0) return 'idle';
  if (active.appends >= linger.enough_appends) return 'joined';
  if (policy.by !== 'time' && active.fill_bytes >= policy.max_bytes) return 'size';
  const due_ms = policy.by === 'weighted' ? weightedDue_ms(policy, active.fill_bytes, linger) : linger.max_ms;
  const crowded = active.appends >= CROWD_APPENDS && linger.crowd_ms < due_ms;
  const left_ms = (crowded ? linger.crowd_ms : due_ms) - active.age_ms;
  if (left_ms > CLOCK_ERROR_ms) return left_ms;
  if (crowded) return 'joined';
  return due_ms < linger.max_ms ? 'weighted' : 'time';
}

/** At which age time and fill together are reason enough; never beyond what time alone may take. */
function weightedDue_ms({ timeWeight, max_bytes }: SwitchPolicy, fill_bytes: number, linger: Linger): number {
  const missing = WEIGHTED_LIMIT - (1 - timeWeight) * (fill_bytes / max_bytes);
  if (missing <= 0) return 0;
  return Math.min(1, missing / timeWeight) * linger.max_ms;
}
