import { describe, expect, it } from '@jest/globals';
import { InFlight, Share } from '../../../receivers/server/in_flight.ts';

const MIB = 2 ** 20;

describe('bytes in flight', () => {
  it('may be four of the largest requests, and 256 MiB at least', () => {
    expect(new InFlight(MIB).limit_bytes).toBe(256 * MIB);
    expect(new InFlight(100 * MIB).limit_bytes).toBe(400 * MIB);
  });

  it('never pass the limit, and who is refused has been given nothing', () => {
    const inFlight = new InFlight(MIB);
    const share = new Share(inFlight);
    share.add(256 * MIB);
    expect(() => new Share(inFlight).add(1)).toThrow(expect.objectContaining({ http: 503, retryAfter_s: 1 }));
    expect(inFlight.bytes).toBe(256 * MIB);
    share.remove(1);
    new Share(inFlight).add(1);
  });

  it('are given back once, however often a share is released', () => {
    const inFlight = new InFlight(MIB);
    const share = new Share(inFlight);
    share.add(5);
    share.release();
    share.release();
    expect(inFlight.bytes).toBe(0);
  });
});
