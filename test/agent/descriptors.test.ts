// Who gets how many file descriptors: the shares fit the limit, and the log has enough to answer those who are connected.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { descriptorsNow, shareOut } from '../../agent/descriptors.ts';

describe('shareOut', () => {
  it('keeps a log going under a limit of 64, and leaves connections', () => {
    const shares = shareOut({ limit: 64, used: 25 }, { adminServers: 1, sends: 3 });
    expect(shares).toEqual({ log: 16, admin: 2, receivers: 14 });
  });

  it('bounds nothing that is not bounded otherwise under the limits of a server', () => {
    const shares = shareOut({ limit: 65_536, used: 30 }, { adminServers: 2, sends: 100 });
    expect(shares).toMatchObject({ log: 256, admin: 64 });
    expect(shares.receivers).toBeGreaterThan(60_000);
    const { log, receivers } = shareOut({ limit: Infinity, used: 0 }, { adminServers: 2, sends: 100 });
    expect([log, receivers]).toEqual([256, Infinity]);
  });

  it('stays within the limit wherever that can be, and always lets somebody connect', () => {
    const input = fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.nat(60), fc.nat(5), fc.nat(1000));
    fc.assert(
      fc.property(input, ([limit, used, adminServers, sends]) => {
        const { log, admin, receivers } = shareOut({ limit, used }, { adminServers, sends });
        expect(Math.min(log - 7, admin, receivers)).toBeGreaterThanOrEqual(1);
        if (receivers > 1) expect(used + log + admin * adminServers + receivers).toBeLessThan(limit);
      }),
    );
  });
});

describe('descriptorsNow', () => {
  it('tells what this process may have', () => {
    const { limit, used } = descriptorsNow()!;
    expect(used).toBeGreaterThan(3);
    expect(limit).toBeGreaterThan(used);
  });
});
