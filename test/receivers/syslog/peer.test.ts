import { describe, expect, it } from '@jest/globals';
import { Peers } from '../../../receivers/syslog/peer.ts';

describe('Peers', () => {
  it('encode each sender once, with what all have in front', () => {
    const peers = new Peers(Buffer.from('front'), '127.0.0.1', 5514);
    const one = peers.of('192.0.2.1', 40_000);
    expect(one.toString('latin1')).toMatch(/^front.*192\.0\.2\.1.*40000.*5514/s);
    expect(peers.of('192.0.2.1', 40_000)).toBe(one);
    expect(peers.of('192.0.2.1', 40_001)).not.toBe(one);
  });

  it('forget, so that senders who claim many addresses cost no more memory', () => {
    const peers = new Peers(Buffer.alloc(0), '127.0.0.1', 5514);
    const first = peers.of('192.0.2.1', 0);
    for (let port = 1; port <= 1024; port += 1) peers.of('192.0.2.1', port);
    expect(peers.of('192.0.2.1', 0)).not.toBe(first);
    expect(peers.of('192.0.2.1', 0)).toEqual(first);
  });
});
