// An intake that keeps what it is given and does what a test tells it: full, slow or broken.

import type { Signal } from '../../../otlp/signal.ts';
import { type Intake, type IntakeEntry, IntakeFull, type Ticket } from '../../../receivers/receiver.ts';

export interface Taken extends IntakeEntry {
  readonly transport: string;
}

export class FakeIntake implements Intake {
  readonly signals: ReadonlySet<Signal>;
  readonly entries: Taken[] = [];
  readonly refusals: { signal: Signal; transport: string; items: number }[] = [];
  admitted_bytes: number[] = [];
  /** Thrown by `admit`. */
  admitError: Error | undefined;
  /** Thrown by `append`. */
  appendError: Error | undefined;
  /** While true tickets stay open until `settle`. */
  holding = false;
  #open: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #watchers: (() => void)[] = [];

  constructor(signals: readonly Signal[] = ['traces', 'metrics', 'logs']) {
    this.signals = new Set(signals);
  }

  append(entry: IntakeEntry, transport: string): Ticket {
    if (this.appendError) throw this.appendError;
    // Copied as the contract says: whoever reuses its buffer afterwards must not change what was taken.
    this.entries.push({ ...entry, bytes: Uint8Array.from(entry.bytes), transport });
    const durable = this.holding
      ? new Promise<void>((resolve, reject) => this.#open.push({ resolve, reject }))
      : Promise.resolve();
    durable.catch(() => {});
    this.#tell();
    return { durable };
  }

  admit(bytes: number): void {
    this.admitted_bytes.push(bytes);
    this.#tell();
    if (this.admitError) throw this.admitError;
  }

  refused(signal: Signal, transport: string, items: number): void {
    this.refusals.push({ signal, transport, items });
    this.#tell();
  }

  /** Resolves once `count` entries have been appended. */
  appended(count: number): Promise<void> {
    return this.until(() => this.entries.length >= count);
  }

  /** Resolves once that holds; asked again whenever the intake was used. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  #tell(): void {
    for (const watcher of this.#watchers.splice(0)) watcher();
  }

  /** Ends all open tickets: durable, or failed with `error`. */
  settle(error?: Error): void {
    this.holding = false;
    for (const { resolve, reject } of this.#open.splice(0)) error ? reject(error) : resolve();
  }
}

export const full = (retryAfter_s = 7) => new IntakeFull('the disk budget is used up', retryAfter_s);
