// What was appended, which of it is owed to every exporter, and what an entry's bytes are: told by its id alone. Knows
// nothing of how the log or the drain loop work. Invariant: an entry is owed once it was acknowledged or sent to anybody.

import { writeVarint } from '../../buffer/frame.ts';
import { encodeEntryHeader } from '../../otlp/entry.ts';
import type { Signal } from '../../otlp/signal.ts';
import type { Payloads } from './payload.ts';
import { Violation } from './violation.ts';

export interface ModelEntry {
  readonly id: number;
  readonly shard: string;
  readonly offset: number;
  readonly content_bytes: number;
  readonly items: number;
  readonly undecodable: boolean;
  /** ms of virtual time, as all here. */
  readonly appended_ms: number;
  owed: boolean;
  owed_ms: number;
  /** A crash took it: it was never promised. */
  gone: boolean;
}

/** A stamp of four bytes tells the id. */
const STAMP_BYTES = 4;
const GARBAGE = 0xff;
const RESOURCE_TAG = 0x0a;

export class DrainModel {
  readonly entries = new Map<number, ModelEntry>();
  readonly #payloads: Payloads;
  readonly #byOffset = new Map<string, Map<number, ModelEntry>>();
  #violation: Violation | undefined;

  constructor(payloads: Payloads) {
    this.#payloads = payloads;
  }

  /** The first promise that broke; what found it may stand where nobody listens to exceptions. */
  fail(violation: Violation): void {
    this.#violation ??= violation;
  }

  /** @throws Violation */
  check(): void {
    if (this.#violation) throw this.#violation;
  }

  /** The bytes of an entry as the agent stores it, or, if `undecodable`, bytes that no agent wrote. */
  bytesOf(id: number, content_bytes: number, signal: Signal, items: number, undecodable: boolean): Buffer {
    const content = this.#payloads.bytes(id, Math.max(STAMP_BYTES, content_bytes));
    if (undecodable) return Buffer.concat([Buffer.from([GARBAGE]), content]);
    const head = Buffer.alloc(6);
    head[0] = RESOURCE_TAG;
    const head_bytes = writeVarint(head, 1, content.length);
    const payload = Buffer.concat([head.subarray(0, head_bytes), content]);
    return Buffer.concat([encodeEntryHeader(signal, 'identity', items, payload.length), payload]);
  }

  appended(entry: Omit<ModelEntry, 'owed' | 'owed_ms' | 'gone'>): ModelEntry {
    const made = { ...entry, owed: false, owed_ms: 0, gone: false };
    const shard = this.#shard(entry.shard);
    if (shard.get(entry.offset)?.owed) {
      this.fail(new Violation(4, `${entry.shard}: offset ${entry.offset} was handed out again`));
    }
    shard.set(entry.offset, made);
    this.entries.set(entry.id, made);
    return made;
  }

  owe(entry: ModelEntry, now_ms: number): void {
    if (entry.gone) this.fail(new Violation(4, `entry ${entry.id} was lost in a crash and came back`));
    if (entry.owed) return;
    entry.owed = true;
    entry.owed_ms = now_ms;
  }

  at(shard: string, offset: number): ModelEntry | undefined {
    return this.#shard(shard).get(offset);
  }

  /** A new life of the shard ends at `end`. */
  recovered(shard: string, end: number): void {
    const entries = this.#shard(shard);
    for (const [offset, entry] of entries) {
      if (offset < end) continue;
      if (entry.owed) this.fail(new Violation(1, `${shard}: entry ${entry.id} at ${offset} is gone`));
      entry.gone = true;
      entries.delete(offset);
    }
  }

  /** The ids of a request's body; whatever in it was never appended is an invention. */
  idsOf(body: Uint8Array): number[] {
    const ids: number[] = [];
    for (let at = 0; at < body.length; ) {
      const tag = body[at]!;
      const { value, next } = varintAt(body, at + 1);
      if (tag !== RESOURCE_TAG || next + value > body.length) {
        this.fail(new Violation(3, `byte ${at} of a body is none of an entry`));
        return ids;
      }
      const entry = this.identify(body.subarray(next, next + value));
      if (entry) ids.push(entry.id);
      at = next + value;
    }
    return ids;
  }

  /** The entry that this is the content of. */
  identify(content: Uint8Array): ModelEntry | undefined {
    const stamp = Buffer.from(content.buffer, content.byteOffset, content.length);
    const id = content.length < STAMP_BYTES ? -1 : stamp.readUInt32LE(0);
    const entry = this.entries.get(id);
    if (!entry || !this.#payloads.is(content, id, Math.max(STAMP_BYTES, entry.content_bytes))) {
      this.fail(new Violation(3, `${content.length} bytes came that nobody appended`));
      return undefined;
    }
    return entry;
  }

  /** The entry that a dead letter holds, by the bytes as they stood in the log. */
  identifyStored(stored: Uint8Array): ModelEntry | undefined {
    if (stored[0] === GARBAGE) return this.identify(stored.subarray(1));
    const { next } = varintAt(stored, 12);
    return this.identify(stored.subarray(next));
  }

  #shard(name: string): Map<number, ModelEntry> {
    let shard = this.#byOffset.get(name);
    if (!shard) {
      shard = new Map();
      this.#byOffset.set(name, shard);
    }
    return shard;
  }
}

function varintAt(bytes: Uint8Array, position: number): { value: number; next: number } {
  let value = 0;
  let at = position;
  for (let shift = 0; shift < 35 && at < bytes.length; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  return { value, next: at };
}
