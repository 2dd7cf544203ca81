// The contract between the agent and a receiver. A receiver sees only its Intake, and may answer "yes" to a client
// only after the ticket's `durable` has resolved.

import type * as z from 'zod';
import { HoldfastError } from '../config/error.ts';
import type { Logger } from '../config/logger.ts';
import type { Codec } from '../otlp/entry.ts';
import type { Signal } from '../otlp/signal.ts';
import type { Authenticator, AuthenticatorReference } from './authenticator.ts';
import type { ConnectionLimit } from './connection_limit.ts';
import type { PortSharing } from './sharing.ts';

export interface IntakeEntry {
  readonly signal: Signal;
  readonly codec: Codec;
  /** The stored form. Copied before `append` returns: the caller may reuse it. */
  readonly bytes: Uint8Array;
  /** Bytes of the protobuf message itself, whatever the codec. */
  readonly rawLength: number;
  /** Spans, data points or log records. */
  readonly items: number;
  /** Unsigned 32-bit hash of the first resource: entries with the same key stay in order. */
  readonly shardKey: number;
}

/** Shared by all entries of one group commit. */
export interface Ticket {
  /** Resolves when the entry is fsynced; rejects with IntakeFull (try again) or another HoldfastError. */
  readonly durable: Promise<void>;
}

/** What a receiver sees of everything behind it. */
export interface Intake {
  /** Signals that some pipeline of this receiver takes; others are refused at the door. */
  readonly signals: ReadonlySet<Signal>;
  /** @throws IntakeFull | IntakeTooLarge. Never blocks; counts accepted and refused items by `transport`. */
  append(entry: IntakeEntry, transport: string): Ticket;
  /** Throws IntakeFull when nothing could be taken now; asked before a body is read, so that a full disk is cheap. */
  admit(bytes: number): void;
  /** Counts what the receiver itself refused (malformed, too large): `items` may be 0 when they cannot be known. */
  refused(signal: Signal, transport: string, items: number): void;
}

/** No room, or no disk: the client should come back. */
export class IntakeFull extends HoldfastError {
  readonly retryAfter_s: number;
  constructor(message: string, retryAfter_s: number, cause?: unknown) {
    super('HF_INTAKE_FULL', message, true, { cause });
    this.retryAfter_s = retryAfter_s;
  }
}

/** The entry can never be stored, however long the client waits. */
export class IntakeTooLarge extends HoldfastError {
  constructor(message: string) {
    super('HF_INTAKE_TOO_LARGE', message, false);
  }
}

export interface ReceiverContext {
  /** Component id as configured, such as `otlp` or `otlp/edge`. */
  readonly id: string;
  readonly logger: Logger;
  /** Of all receivers together; each server has itself guarded by it. */
  readonly connections: ConnectionLimit;
  /** By the id of their extension. */
  readonly authenticators?: ReadonlyMap<string, Authenticator>;
  /** Where several workers listen on the same ports. */
  readonly sharing?: PortSharing;
}

export interface Endpoint {
  readonly protocol: string;
  /** Where it listens really: with the port that the system chose if 0 was asked for. */
  readonly address: string;
}

export interface Receiver {
  /** Resolves when it listens. @throws HoldfastError naming the endpoint when it cannot. */
  start(intake: Intake): Promise<void>;
  /** Takes nothing new, answers what is in flight; when `deadline` aborts, what is left is cut off. */
  stop(deadline: AbortSignal): Promise<void>;
  readonly endpoints: readonly Endpoint[];
}

export interface ReceiverFactory<Config = unknown> {
  readonly type: string;
  /** Older or alternative names accepted in configuration files. */
  readonly aliases?: readonly string[];
  readonly description: string;
  readonly signals: readonly Signal[];
  readonly schema: z.ZodType<Config>;
  /** The authenticators that the configuration names, so that a wrong name is told with its place in the file. */
  authenticators?(config: Config): readonly AuthenticatorReference[];
  /** What runs it, which is not loaded where it is not configured. */
  load(): Promise<{ create(config: Config, context: ReceiverContext): Receiver }>;
}
