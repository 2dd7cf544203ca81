// Bugs of a drain loop and of what lies around it, each from a real incident: what is delivered twice, never, or given up
// although nothing was wrong with it.

import { Outlet } from '../../agent/outlet.ts';
import { Chain } from '../../buffer/chain.ts';
import { LogFull } from '../../buffer/errors.ts';
import { Group } from '../../buffer/group.ts';
import { LeasedBatch } from '../../buffer/leased_batch.ts';
import { Owner } from '../../buffer/owner.ts';
import type { Clock } from '../../buffer/ports/clock.ts';
import type { FileSystem } from '../../buffer/ports/file_system.ts';
import { ShardReader } from '../../buffer/reader.ts';
import { Shard } from '../../buffer/shard.ts';
import type { DrainConfig } from '../../exporters/drain/config.ts';
import { Inquiry, type Group as Suspects, sizeOf } from '../../exporters/drain/inquiry.ts';
import { Slot } from '../../exporters/drain/slot.ts';
import { TokenBucket } from '../../exporters/drain/token_bucket.ts';
import { Window } from '../../exporters/drain/window.ts';
import type { Outcome } from '../../exporters/exporter.ts';
import type { ExporterBug } from './drain_exporter.ts';
import { both, delegate, nothing, onMethod, type PlantedBug, type Undo } from './planting.ts';

type DrainBug = Omit<PlantedBug, 'in'>;

const delivered: Outcome = { kind: 'delivered' };

/** Every outcome is told to the loop as another one. */
function retold(change: (outcome: Outcome) => Outcome): () => ExporterBug {
  return () => ({ send: (inner) => async (batch, signal) => change(await inner(batch, signal)) });
}

function withRetry(changed: Partial<DrainConfig['retry']>): (config: DrainConfig) => DrainConfig {
  return (config) => ({ ...config, retry: { ...config.retry, ...changed } });
}

const bugs: Readonly<Record<string, DrainBug>> = {
  committed_before_delivery: {
    incident: 'Kafka consumers with auto-commit: the offset of what was read, not of what was done',
    patch: onMethod(
      Slot.prototype,
      'frontier',
      () =>
        function (this: Slot) {
          return this.next;
        },
    ),
  },
  committed_past_a_hole: {
    incident:
      'several in flight, and the offset of the last answer committed instead of the first that is missing',
    patch: committingPastHoles(),
  },
  shutdown_commits_what_is_in_flight: {
    incident: 'Collector #15677: an orderly shutdown deletes items that were still queued',
    patch: onMethod(
      Outlet.prototype,
      'stop',
      (stop) =>
        async function (this: Outlet, deadline: AbortSignal) {
          await stop.call(this, deadline);
          for (const source of this.sources) {
            await source.commit(source.committed() + source.lag().entries).catch(nothing);
          }
        },
    ),
  },
  partial_success_retried: {
    incident: 'a partial success taken for a failure: what was accepted is sent again, for ever',
    exporter: retold((outcome) =>
      outcome.kind === 'partial' ? { kind: 'retry', reason: outcome.message } : outcome,
    ),
  },
  throttled_counted_as_delivered: {
    incident: '429 counted as delivered, because the request itself did not fail',
    exporter: retold((outcome) =>
      outcome.kind === 'retry' && outcome.reason.startsWith('HTTP 429') ? delivered : outcome,
    ),
  },
  silence_counted_as_delivered: {
    incident: 'a request that timed out after it was sent, taken for sent',
    exporter: retold((outcome) =>
      outcome.kind === 'retry' && outcome.reason.startsWith('no answer') ? delivered : outcome,
    ),
  },
  refused_counted_as_delivered: {
    incident: 'Collector: what a backend refuses for good is dropped with a line in the log',
    exporter: retold((outcome) => (outcome.kind === 'rejected' ? delivered : outcome)),
  },
  retry_after_ignored: {
    incident: 'Retry-After not read, the throttled backend asked again at once',
    exporter: retold((outcome) =>
      outcome.kind === 'retry' ? { kind: 'retry', reason: outcome.reason } : outcome,
    ),
  },
  retried_at_once: {
    incident: 'retry storm: no back-off between tries',
    config: withRetry({ initial_interval_ms: 20, max_interval_ms: 20 }),
  },
  back_off_without_jitter: {
    incident:
      'thundering herd: a fleet that failed together comes back together (AWS, "Exponential Backoff And Jitter")',
    config: withRetry({ randomization_factor: 0 }),
  },
  given_up_after_five_minutes: {
    incident: 'Collector: max_elapsed_time of 5m drops what an outage of an hour would have kept',
    config: withRetry({ max_elapsed_time_ms: 300_000 }),
  },
  dead_letters_on_a_revoked_token: {
    incident: 'a 401 taken for a fault of the data: a revoked token empties the queue',
    config: (config) => ({ ...config, on_rejected: 'dead_letter' }),
  },
  convicted_alone: {
    incident: 'what is refused alone is taken for poison although nothing else is accepted either',
    patch: onMethod(Inquiry.prototype, 'isPoison', () => (group: Suspects) => sizeOf(group) === 1),
  },
  whole_batch_convicted: {
    incident: 'the Collector, measured: one poisoned request took 3,760 of 3,905 innocent spans with it',
    patch: onMethod(Inquiry.prototype, 'isPoison', () => (group: Suspects) => group.alternations > 0),
  },
  answer_read_without_end: {
    incident: 'CVE-2026-39882: the reply of a backend is read without a limit',
    exporter: () => ({ answerBytesMax: Number.MAX_SAFE_INTEGER }),
  },
  one_backend_blocks_all: {
    incident: 'one queue for all exporters: who is dead stands in the way of who is not',
    exporter: oneAtATime,
  },
  request_without_time_out: {
    incident: 'a connection that is open and silent, waited for without end',
    config: (config) => ({ ...config, timeout_ms: 1e12 }),
  },
  more_in_flight_than_allowed: {
    incident: 'a bound on concurrency that a retry does not count against',
    config: (config) => ({ ...config, max_in_flight: 64 }),
  },
  rate_limit_ignored: {
    incident: 'a thin link flooded after an outage, when the backlog drains',
    patch: onMethod(TokenBucket.prototype, 'take', () => () => 0),
  },
  wake_up_lost: {
    incident: 'a notification that nobody gets: the consumer sleeps on a full queue',
    patch: onMethod(ShardReader.prototype, 'wake', () => () => {}),
  },
  dead_letter_without_room_counts: {
    incident: 'a full disk taken for a fault of the data: no room for dead letters, and the entry is gone',
    patch: takingNoRoomForDone(),
  },
  dead_letter_not_awaited: {
    incident: 'the offset moves on before the dead letter is on disk',
    patch: onMethod(
      Shard.prototype,
      'durable',
      (durable) =>
        function (this: Shard, offset: number) {
          if (!isLetters(this)) return durable.call(this, offset);
          (durable.call(this, offset) as Promise<void>).catch(nothing);
          return Promise.resolve();
        },
    ),
  },
  undecodable_skipped: {
    incident: 'a record that cannot be read is stepped over without a word',
    patch: onMethod(
      Slot.prototype,
      'addUndecodable',
      () =>
        function (this: Slot, ...[, , next]: [Uint8Array, number, number]) {
          this.next = next;
        },
    ),
  },
  acknowledged_from_a_user_buffer: {
    incident: 'comet 1.3.8: the memory of the caller was kept and written later, when it held something else',
    patch: keepingTheCallersMemory(),
  },
  lease_ends_too_early: {
    incident: 'memory given back to the pool while a request still reads it',
    patch: both(
      onMethod(LeasedBatch.prototype, 'retain', () => () => {}),
      onMethod(
        LeasedBatch.prototype,
        'release',
        (release) =>
          function (this: LeasedBatch & { ended?: boolean }) {
            if (!this.ended) release.call(this);
            this.ended = true;
          },
      ),
    ),
  },
  offsets_wrap_at_65535: {
    incident: 'Vector #19759: a counter of 16 bits, and everything stands still at 65,535',
    patch: onMethod(
      Group.prototype,
      'commit',
      (commit) =>
        function (this: Group, shard: Shard, next: number) {
          return commit.call(this, shard, next & 0xffff) as Promise<void>;
        },
    ),
  },
  second_owner_let_in: {
    incident: 'a stale lock taken over while its owner was only slow',
    fileSystem: (inner) => delegate(inner, { lock: async () => ({ release: nothing }) }),
  },
  age_by_the_wall_clock: {
    incident: 'retention by wall clock: a clock that jumps deletes what nobody has read',
    patch: onMethod(Owner, 'take', (take) => async (...args: [FileSystem, Clock, ...unknown[]]) => {
      const owner = (await take.apply(Owner, args)) as Owner;
      return Object.defineProperty(owner, 'running_ms', { value: () => args[1].now() });
    }),
  },
};

export const drainBugs: Readonly<Record<string, PlantedBug>> = Object.fromEntries(
  Object.entries(bugs).map(([name, bug]) => [name, { ...bug, in: 'drain' }]),
);

/** The last slot that is resolved takes all before it along. */
function committingPastHoles(): () => Undo {
  const slots = new WeakMap<Window, Slot[]>();
  const push = onMethod(
    Window.prototype,
    'push',
    (original) =>
      function (this: Window, slot: Slot) {
        slots.set(this, [...(slots.get(this) ?? []), slot]);
        original.call(this, slot);
      },
  );
  const advance = onMethod(
    Window.prototype,
    'advance',
    (original) =>
      function (this: Window) {
        const own = slots.get(this) ?? [];
        const last = own.findLastIndex((slot) => slot.unresolved === 0);
        for (const slot of own.slice(0, last + 1)) slot.unresolved = 0;
        slots.set(this, own.slice(last + 1));
        original.call(this);
      },
  );
  return both(push, advance);
}

function oneAtATime(): ExporterBug {
  let last: Promise<unknown> = Promise.resolve();
  return {
    send: (inner) => (batch, signal) => {
      const sent = last.then(() => inner(batch, signal));
      last = sent.catch(nothing);
      return sent;
    },
  };
}

const isLetters = (shard: Shard): boolean => shard.id.startsWith('dead-letter');

function takingNoRoomForDone(): () => Undo {
  const append = onMethod(
    Shard.prototype,
    'append',
    (original) =>
      function (this: Shard, entries: readonly Uint8Array[]) {
        try {
          return original.call(this, entries) as number;
        } catch (error) {
          if (isLetters(this) && error instanceof LogFull) return this.logEnd;
          throw error;
        }
      },
  );
  const durable = onMethod(
    Shard.prototype,
    'durable',
    (original) =>
      function (this: Shard, offset: number) {
        const promise = original.call(this, offset) as Promise<void>;
        return isLetters(this) ? promise.catch(nothing) : promise;
      },
  );
  return both(append, durable);
}

interface Kept {
  readonly memory: Buffer;
  readonly at: number;
  readonly entry: Uint8Array;
}

/** What the caller's memory holds when the commit begins is what is written. */
function keepingTheCallersMemory(): () => Undo {
  const kept = new WeakMap<Chain, Kept[]>();
  const append = onMethod(
    Chain.prototype,
    'appendBatch',
    (original) =>
      function (this: Chain, entries: readonly Uint8Array[], ...rest: unknown[]) {
        original.call(this, entries, ...rest);
        const memory = this.blocks.at(-1)!.memory;
        const own = kept.get(this) ?? [];
        for (const entry of entries) own.push({ memory, at: memory.lastIndexOf(entry), entry });
        kept.set(this, own);
      },
  );
  const seal = onMethod(
    Chain.prototype,
    'seal',
    (original) =>
      function (this: Chain) {
        for (const { memory, at, entry } of kept.get(this) ?? []) if (at >= 0) memory.set(entry, at);
        kept.delete(this);
        original.call(this);
      },
  );
  return both(append, seal);
}
