// From a decoded body to the intake, for both protocols: check it, count it, hand it on.
// Invariant: what reaches the intake has passed the wire walk.

import type { Codec } from '../../otlp/entry.ts';
import type { Signal } from '../../otlp/signal.ts';
import { walk } from '../../otlp/walk.ts';
import type { Intake, Ticket } from '../receiver.ts';

/**
 * @param stored the bytes to keep: `raw` itself, or the compressed form that it came in.
 * @returns undefined for an empty request, which is a success with nothing to store (OTLP specification).
 * @throws MalformedOtlp, IntakeFull, IntakeTooLarge
 */
export function take(
  intake: Intake,
  transport: string,
  signal: Signal,
  codec: Codec,
  stored: Uint8Array,
  raw: Uint8Array,
): Ticket | undefined {
  if (raw.length === 0) return undefined;
  const { items, shardKey } = walk(signal, raw);
  return intake.append({ signal, codec, bytes: stored, rawLength: raw.length, items, shardKey }, transport);
}
