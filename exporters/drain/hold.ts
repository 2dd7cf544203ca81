// The alarm of one drain loop: on while nothing can be done but wait for somebody to mend something. Said once when it
// goes on and once when it goes off; `telemetry.held` counts the loops that are held.

import type { Clock } from '../../buffer/ports/clock.ts';
import type { Logger } from '../../config/logger.ts';
import type { DrainTelemetry } from './telemetry.ts';

export class Hold {
  readonly #logger: Logger;
  readonly #telemetry: DrainTelemetry;
  readonly #clock: Clock;
  #reason: string | undefined;
  #since_ms = 0;

  constructor(logger: Logger, telemetry: DrainTelemetry, clock: Clock) {
    this.#logger = logger;
    this.#telemetry = telemetry;
    this.#clock = clock;
  }

  /** Why, or undefined while all is well. */
  get reason(): string | undefined {
    return this.#reason;
  }

  enter(message: string, reason: string): void {
    const first = this.#reason === undefined;
    this.#reason = reason;
    if (!first) return;
    this.#since_ms = this.#clock.monotonic();
    this.#telemetry.held += 1;
    this.#logger.error(message, { reason });
  }

  leave(): void {
    if (this.#reason === undefined) return;
    this.#reason = undefined;
    this.#telemetry.held -= 1;
    const held_s = Math.round((this.#clock.monotonic() - this.#since_ms) / 1000);
    this.#logger.info('no longer held', { held_s });
  }
}
