// The contract between the drain loop and a backend. An exporter sends one batch and says what came of it; it never
// retries, never waits and keeps nothing: all of that is the drain loop's (exporters/drain).

import type * as z from 'zod';
import type { Logger } from '../config/logger.ts';
import type { Entry } from '../otlp/entry.ts';
import type { Signal } from '../otlp/signal.ts';
import type { Credentials, CredentialsReference } from './credentials.ts';
import type { DrainConfig } from './drain/config.ts';

export interface ExportBatch {
  readonly signal: Signal;
  /** In log order; views that stay valid until `send` settles. */
  readonly entries: readonly Entry[];
  /** Sum of the entries' items. */
  readonly items: number;
  /** Sum of the entries' raw (uncompressed) lengths in bytes. */
  readonly rawBytes: number;
}

/** The backend has the batch. */
export interface Delivered {
  readonly kind: 'delivered';
}
/** The backend has the batch but refused some items for good. Final: never sent again (OTLP, partial success). */
export interface Partial {
  readonly kind: 'partial';
  readonly rejectedItems: number;
  readonly message: string;
}
/** Not now: outage, overload, time-out. */
export interface Retry {
  readonly kind: 'retry';
  readonly reason: string;
  /** What the backend asked for (Retry-After, RetryInfo). */
  readonly after_ms?: number;
}
/** The backend says no for good to this request. Whether its entries or the destination are at fault is for the drain loop to find out. */
export interface Rejected {
  readonly kind: 'rejected';
  readonly reason: string;
  /** True for 413 and the like: halves may be taken where the whole was not. */
  readonly tooLarge?: boolean;
}
export type Outcome = Delivered | Partial | Retry | Rejected;

export interface Exporter {
  start(): Promise<void>;
  /**
   * Never throws for what the network or the backend did; an abort is a Retry. The signal may come again with the next batch, so
   * nothing listens to it once this has settled.
   */
  send(batch: ExportBatch, signal: AbortSignal): Promise<Outcome>;
  stop(): Promise<void>;
}

export interface ExporterContext {
  /** Component id as configured, such as `otlp_http/cloud`. */
  readonly id: string;
  readonly version: string;
  /** Number of the worker that it runs in, where there are several: what two cannot write at a time each has for itself. */
  readonly worker?: number;
  readonly logger: Logger;
  /** By the ids of their extensions. */
  readonly credentials?: ReadonlyMap<string, Credentials>;
}

export interface ExporterFactory<Config = unknown> {
  readonly type: string;
  readonly aliases?: readonly string[];
  readonly description: string;
  readonly signals: readonly Signal[];
  readonly schema: z.ZodType<Config>;
  /** The part of the component's configuration that the drain loop reads. */
  drain(config: Config): DrainConfig;
  /** What became of keys that are accepted and mean nothing here: one line each, for the log. */
  notes(config: Config): readonly string[];
  /** The credentials that the configuration names, so that a wrong name is told with its place in the file. */
  credentials?(config: Config): readonly CredentialsReference[];
  /** What runs it, which is not loaded where it is not configured. */
  load(): Promise<{ create(config: Config, context: ExporterContext): Exporter }>;
}
