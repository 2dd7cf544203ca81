import { describe, expect, it } from '@jest/globals';
import { type IntakeShard, ReceiverIntake } from '../../agent/pipeline.ts';
import { ReceiverCounters } from '../../agent/telemetry/receiver_counters.ts';
import { EntryTooLarge, LogClosed, LogFull } from '../../buffer/index.ts';
import { HoldfastError } from '../../config/error.ts';
import { decodeEntry } from '../../otlp/entry.ts';
import type { Signal } from '../../otlp/signal.ts';
import { type IntakeEntry, IntakeFull, IntakeTooLarge } from '../../receivers/receiver.ts';

/** A shard whose group commits settle when the test says so. */
class HeldShard implements IntakeShard {
  readonly appended: Uint8Array[] = [];
  failure: unknown;
  commit = Promise.withResolvers<void>();

  appendParts(parts: readonly Uint8Array[]): number {
    if (this.failure) throw this.failure;
    return this.appended.push(Buffer.concat(parts)) - 1;
  }
  admit(): void {
    if (this.failure) throw this.failure;
  }
  durable(): Promise<void> {
    return this.commit.promise;
  }
  /** Settles what waits and begins the next commit. */
  settle(error?: unknown): void {
    const { resolve, reject } = this.commit;
    this.commit = Promise.withResolvers<void>();
    if (error) reject(error);
    else resolve();
  }
}

function setUp(signals: readonly Signal[] = ['traces', 'logs']) {
  const shard = new HeldShard();
  const keys: number[] = [];
  const stream = {
    shards: [shard],
    shardOf(key: number) {
      keys.push(key);
      return shard;
    },
  };
  const counters = new ReceiverCounters();
  const intake = new ReceiverIntake({
    streams: new Map(signals.map((signal) => [signal, stream])),
    counters,
  });
  keys.length = 0;
  return { intake, shard, counters, keys };
}

function entry(over: Partial<IntakeEntry> = {}): IntakeEntry {
  const bytes = new TextEncoder().encode('payload');
  return { signal: 'traces', codec: 'identity', bytes, rawLength: 7, items: 3, shardKey: 9, ...over };
}

describe('an intake', () => {
  it('stores the bytes as they came behind the header of the entry, in the shard of the key', () => {
    const { intake, shard, keys } = setUp();
    intake.append(entry({ codec: 'gzip', rawLength: 99, shardKey: 0xffffffff }), 'http');
    const stored = decodeEntry(shard.appended[0]!);
    expect(stored).toMatchObject({ signal: 'traces', codec: 'gzip', items: 3, rawLength: 99 });
    expect(new TextDecoder().decode(stored.payload)).toBe('payload');
    expect(keys).toEqual([0xffffffff]);
  });

  it('takes the signals that it has a stream for and refuses others', () => {
    const { intake } = setUp(['logs']);
    expect([...intake.signals]).toEqual(['logs']);
    expect(() => intake.append(entry(), 'http')).toThrow('no pipeline takes traces');
  });

  it('counts items as accepted only once they are durable', async () => {
    const { intake, shard, counters } = setUp();
    const ticket = intake.append(entry(), 'http');
    expect(counters.of('http').accepted.traces).toBe(0);
    shard.settle();
    await ticket.durable;
    expect(counters.of('http')).toMatchObject({ accepted: { traces: 3 }, refused: { traces: 0 } });
  });

  it('gives one ticket to all that wait on one commit and tells transports and signals apart', async () => {
    const { intake, shard, counters } = setUp();
    const first = intake.append(entry(), 'http');
    const second = intake.append(entry({ items: 4 }), 'grpc');
    const third = intake.append(entry({ signal: 'logs', items: 5 }), 'http');
    expect(second).toBe(first);
    expect(third).toBe(first);
    shard.settle();
    const next = intake.append(entry({ items: 100 }), 'http');
    expect(next).not.toBe(first);
    await first.durable;
    expect(counters.of('http').accepted).toEqual({ traces: 3, metrics: 0, logs: 5 });
    expect(counters.of('grpc').accepted.traces).toBe(4);
  });

  it('counts items as refused when their commit fails, and asks the client to come back', async () => {
    const { intake, shard, counters } = setUp();
    const ticket = intake.append(entry(), 'http');
    const cause = new HoldfastError('HF_BUFFER_COMMIT_FAILED', 'EIO', true);
    shard.settle(cause);
    const error = await ticket.durable.catch((e) => e);
    expect(error).toBeInstanceOf(IntakeFull);
    expect(error).toMatchObject({ retryAfter_s: 1, retryable: true, cause });
    expect(counters.of('http')).toMatchObject({ accepted: { traces: 0 }, refused: { traces: 3 } });
  });

  it('does not end the process when a commit fails that nobody waits for', async () => {
    const { intake, shard } = setUp();
    intake.append(entry(), 'http');
    shard.settle(new Error('EIO'));
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('an intake that is refused by the log', () => {
  it.each([
    ['full', new LogFull('disk budget used up', 7), IntakeFull, { retryAfter_s: 7 }],
    ['too large', new EntryTooLarge(100, 10), IntakeTooLarge, { retryable: false }],
    ['closed', new LogClosed('the log'), IntakeFull, { retryAfter_s: 5 }],
    ['broken', new Error('assertion with /secret/path'), IntakeFull, { retryAfter_s: 5 }],
  ])('says so to the receiver when it is %s, and counts the items once', (_name, failure, type, facts) => {
    const { intake, shard, counters } = setUp();
    shard.failure = failure;
    let thrown: unknown;
    try {
      intake.append(entry(), 'http');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(type);
    expect(thrown).toMatchObject(facts);
    expect((thrown as Error).message).not.toContain('/secret/path');
    expect(counters.of('http')).toMatchObject({ accepted: { traces: 0 }, refused: { traces: 3 } });
  });

  it('says no at the door as long as no shard takes anything', () => {
    const broken = [new HeldShard(), new HeldShard()];
    const stream = { shards: broken, shardOf: (key: number) => broken[key % 2]! };
    const intake = new ReceiverIntake({
      streams: new Map([['logs', stream]]),
      counters: new ReceiverCounters(),
    });
    intake.admit(1);
    broken[0]!.failure = new LogFull('full', 7);
    intake.admit(1);
    broken[1]!.failure = broken[0]!.failure;
    expect(() => intake.admit(1)).toThrow(IntakeFull);
    broken[1]!.failure = undefined;
    intake.admit(1);
  });
});

describe('what a receiver refuses itself', () => {
  it('is counted by signal and transport', () => {
    const { intake, counters } = setUp();
    intake.refused('metrics', 'grpc', 12);
    intake.refused('metrics', 'grpc', 0);
    expect(counters.of('grpc').refused.metrics).toBe(12);
    expect([counters.refused(), counters.accepted()]).toEqual([12, 0]);
  });
});
