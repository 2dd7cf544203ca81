// What the drain loop needs of the log: one consumer group's place in one shard, and where dead letters go. The log's
// group and shard satisfy it; tests and the simulator give others.

import type { Reader } from '../../buffer/batch.ts';
import type { Lag } from '../../buffer/lag.ts';

/** One shard of one stream as one consumer group sees it. */
export interface Source {
  /** `<stream>/<shard>`, such as `traces.otlp/0`. */
  readonly name: string;
  /** Begins at the committed offset. */
  reader(): Reader;
  /** The offset to read next after a restart. */
  committed(): number;
  /** In memory at once; the promise is its durability, shared, and need not be awaited. Never rejects unhandled. */
  commit(next: number): Promise<void>;
  /** Resolves when all commits so far are durable. */
  flush(): Promise<void>;
  lag(): Lag;
}

export interface DeadLetters {
  /** Resolves when the entry is durable; rejects when there is no room. The bytes may be reused after that. */
  append(entry: Uint8Array, reason: string): Promise<void>;
}
