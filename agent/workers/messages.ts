// What crosses between the main thread and a worker: plain data. Invariant: nothing of an entry's way crosses; this is for
// starting, stopping, and looking at a worker.

import type { Attributes } from '@opentelemetry/api';
import type { LogFields } from '../../config/logger.ts';
import type { LoadedSource } from '../../config/source.ts';
import type { Endpoint } from '../../receivers/receiver.ts';
import type { Condition } from '../admin/health.ts';
import type { Totals } from '../summary.ts';
import type { MetricName } from '../telemetry/catalogue.ts';
import type { LogLevel } from '../telemetry/logger.ts';
import type { Place } from './place.ts';

/** What a worker is started with. Not the files: it runs what the main thread has read, also when it is restarted. */
export interface WorkerStart {
  readonly source: LoadedSource;
  readonly version: string;
  readonly place: Place;
}

/** One sample of a metric: labels are those that the worker gave. */
export interface Sample {
  readonly name: MetricName;
  readonly value: number;
  readonly labels: Attributes;
}

/** A worker at the moment when it was asked. */
export interface WorkerState {
  readonly condition: Condition;
  readonly totals: Totals;
  readonly samples: readonly Sample[];
}

/** An error without its class. */
export interface PlainError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

export type ToWorker =
  | { readonly kind: 'ask' }
  /** Stop in good order. */
  | { readonly kind: 'stop' }
  /** The deadline of stopping has come: cut off what is left. */
  | { readonly kind: 'cut' };

export type FromWorker =
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string; readonly fields: LogFields }
  | { readonly kind: 'ready'; readonly endpoints: readonly (readonly [string, readonly Endpoint[]])[] }
  | { readonly kind: 'failed'; readonly error: PlainError }
  | { readonly kind: 'state'; readonly state: WorkerState }
  /** Everything is closed; `failure` says what could not be done properly. */
  | { readonly kind: 'stopped'; readonly failure: string | undefined };
