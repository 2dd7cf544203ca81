// What a drain loop counts: plain mutable numbers that whoever serves metrics reads. All loops of one exporter may share
// one object, so gauges are counted up and down, never set.

import type { Signal } from '../../otlp/signal.ts';

export interface SignalCounters {
  /** Items that the destination has; without those that a partial success refused. */
  sentItems: number;
  sentBatches: number;
  /** Items given up: refused in a partial success, dead-lettered or dropped. */
  sendFailedItems: number;
  /** Answers "not now", and connections that failed. */
  retries: number;
  /** Items refused by partial successes. */
  rejectedItems: number;
  deadLetteredEntries: number;
  deadLetteredItems: number;
  droppedEntries: number;
  droppedItems: number;
}

export interface DrainTelemetry {
  readonly signals: Readonly<Record<Signal, SignalCounters>>;
  /** Loops whose destination refuses everything, or whose dead letters find no room. */
  held: number;
  /** Requests sent and not answered yet. */
  inFlight: number;
}

export function newDrainTelemetry(): DrainTelemetry {
  return {
    signals: { traces: newCounters(), metrics: newCounters(), logs: newCounters() },
    held: 0,
    inFlight: 0,
  };
}

function newCounters(): SignalCounters {
  return {
    sentItems: 0,
    sentBatches: 0,
    sendFailedItems: 0,
    retries: 0,
    rejectedItems: 0,
    deadLetteredEntries: 0,
    deadLetteredItems: 0,
    droppedEntries: 0,
    droppedItems: 0,
  };
}
