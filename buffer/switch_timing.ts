// When the sides of a group commit switch: at once, or after lingering for company as the policy says and experience
// teaches. Invariant: it lingers for one side at a time, and every wait is accounted for at the next switch.

import { AdaptiveLinger } from './adaptive_linger.ts';
import { type CommitPolicy, lingerOf } from './commit_policy.ts';
import type { CommitSide } from './commit_side.ts';
import type { Clock, Timer } from './ports/clock.ts';
import { SwitchMeter } from './switch_meter.ts';
import {
  CROWD_APPENDS,
  decideSwitch,
  type Linger,
  type SwitchPolicy,
  type SwitchReason,
} from './switch_policy.ts';

export class SwitchTiming {
  readonly meter = new SwitchMeter();
  /** Somebody asked for a switch as soon as there can be one. */
  asked = false;
  readonly #clock: Clock;
  readonly #policy: SwitchPolicy;
  readonly #linger: Linger;
  readonly #learning: AdaptiveLinger | undefined;
  #timer: Timer | undefined;
  /** Monotonic ms; -1: it does not linger. */
  #since_ms = -1;
  #from_appends = 0;

  constructor(policy: CommitPolicy, clock: Clock) {
    this.#clock = clock;
    this.#policy = policy.switch;
    this.#linger = lingerOf(policy);
    this.#learning = this.#linger instanceof AdaptiveLinger ? this.#linger : undefined;
  }

  get lingers(): boolean {
    return this.#timer !== undefined;
  }

  /** Why to switch now, or for how many ms not. */
  decide({ appends, charged_bytes, since_ms }: CommitSide): SwitchReason | number {
    const age_ms = this.#linger.max_ms > 0 ? this.#clock.monotonic() - since_ms : 0;
    const active = { appends, fill_bytes: charged_bytes, age_ms, asked: this.asked };
    return decideSwitch(this.#policy, active, this.#linger);
  }

  /** Whether the append that came last ends lingering, or the wait is a shorter one from here on: to be decided anew. */
  isToBeDecided(active: CommitSide): boolean {
    return active.appends === CROWD_APPENDS || typeof this.decide(active) === 'string';
  }

  linger(active: CommitSide, delay_ms: number, end: () => void): void {
    if (this.#since_ms < 0) {
      this.#since_ms = this.#clock.monotonic();
      this.#from_appends = active.appends;
      this.meter.lingering += 1;
    }
    const ended = (): void => {
      this.#timer = undefined;
      end();
    };
    // A program may be waiting for nothing else but this commit.
    this.#timer = this.#clock.setTimer(ended, delay_ms, true);
  }

  /** Ends lingering without calling its `end`. */
  cut(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** `side` takes nothing more. */
  switched(side: CommitSide, reason: SwitchReason): void {
    const now_ms = this.#clock.monotonic();
    if (this.#since_ms >= 0) {
      this.#learning?.observe(side.appends - this.#from_appends, now_ms - this.#since_ms);
    }
    this.#since_ms = -1;
    this.meter.switched(reason, now_ms - side.since_ms, side.charged_bytes);
    this.asked = false;
  }

  /** Learns who came while all the others waited, and whether they could have been taken along already. */
  committed(committed: CommitSide, active: CommitSide, latency_ms: number): void {
    const { appends } = active;
    this.#learning?.observe(appends, latency_ms);
    this.#learning?.together(committed.appends + appends);
    this.#learning?.took(latency_ms);
    if (appends > 0 && typeof this.decide(active) === 'string') this.meter.busy += 1;
  }
}
