// A body that cannot be read, with the place: route, line or record, and path within it. Invariant: it says how many records
// are refused with it, so that nothing goes uncounted, and holds no bytes of the body.

import { rpcCode } from '../../otlp/status.ts';
import { Refusal } from '../server/refusal.ts';

export class MalformedBody extends Refusal {
  /** Records that are refused with it, as far as they can be told apart. */
  readonly items: number;

  constructor(route: string, place: string, reason: string, items: number) {
    super(400, rpcCode.INVALID_ARGUMENT, `${route}: ${place}: ${reason}`);
    this.items = items;
  }
}
