// What is wrong with a protobuf message and where: the error that every reader of otlp/ throws.
// Invariant: it holds no bytes of the message, so that nothing from the wire reaches a log through it.

import { HoldfastError } from '../config/error.ts';

export class MalformedOtlp extends HoldfastError {
  /** Byte at which the faulty element begins or at which the bytes ran out, from the start of the message. */
  readonly position: number;
  /** What is wrong, without the place. */
  readonly reason: string;
  /** Field path such as `resource_spans[0].scope_spans[1].spans[3].name`; empty where unknown. */
  readonly path: string;

  constructor(reason: string, position: number, path = '') {
    super('HF_OTLP_MALFORMED', `${path === '' ? '' : `${path}: `}${reason} at byte ${position}`, false);
    this.reason = reason;
    this.position = position;
    this.path = path;
  }
}
