// Writes the summary line every few seconds while something happens, and every minute while nothing does.

import type { Logger } from '../config/logger.ts';
import { summarize, type Totals } from './summary.ts';

/** With nothing to say, how long until it is said anyway: a sign of life, ms. */
const QUIET_MS_MAX = 60_000;

export interface SummaryOptions {
  readonly agent: { totals(): Totals | Promise<Totals> };
  /** 0: never. */
  readonly interval_ms: number;
  readonly logger: Logger;
  /** For people: one readable line. Otherwise fields, for programs. */
  readonly asText: boolean;
  readonly monotonic?: () => number;
}

export function startSummary(options: SummaryOptions): { stop(): void } {
  const { agent, logger, interval_ms, asText } = options;
  if (interval_ms === 0) return { stop: () => {} };
  const monotonic = options.monotonic ?? (() => performance.now());
  let before: Totals | undefined;
  let before_ms = monotonic();
  let said_ms = before_ms;
  let isStopped = false;
  const say = (now: Totals): void => {
    if (isStopped) return;
    const now_ms = monotonic();
    const { text, fields, eventful } = summarize(now, before ?? now, now_ms - before_ms);
    const isFirst = before === undefined;
    [before, before_ms] = [now, now_ms];
    if (isFirst || (!eventful && now_ms - said_ms < QUIET_MS_MAX)) return;
    said_ms = now_ms;
    if (asText) logger.info(text);
    else logger.info('summary', fields);
  };
  const look = (): void => {
    const totals = agent.totals();
    if (totals instanceof Promise) void totals.then(say);
    else say(totals);
  };
  look();
  const timer = setInterval(look, interval_ms);
  timer.unref();
  return {
    stop() {
      isStopped = true;
      clearInterval(timer);
    },
  };
}
