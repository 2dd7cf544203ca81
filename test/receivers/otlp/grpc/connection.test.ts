import { EventEmitter } from 'node:events';
import type { Http2Session } from 'node:http2';
import { describe, expect, it } from '@jest/globals';
import { Connection, type Lifetime } from '../../../../receivers/otlp/grpc/connection.ts';

const FOR_EVER = Number.POSITIVE_INFINITY;
const lifetime: Lifetime = {
  handshake_ms: 10,
  maxIdle_ms: FOR_EVER,
  maxAge_ms: FOR_EVER,
  maxAgeGrace_ms: FOR_EVER,
  ping_ms: FOR_EVER,
  pingTimeout_ms: 20,
  minPing_ms: 100,
  pingWithoutCall: false,
};

/** As much of a session as a connection touches; what was done to it is in `done`. */
class FakeSession extends EventEmitter {
  readonly done: string[] = [];
  readonly socket = { bytesRead: 0 };
  closed = false;
  destroyed = false;
  goaway(code: number, _last: number, data: Buffer): void {
    this.done.push(`goaway ${code} ${data}`);
  }
  close(): void {
    this.closed = true;
    this.done.push('close');
  }
  destroy(): void {
    this.destroyed = true;
    this.done.push('destroy');
  }
  ping(): boolean {
    this.done.push('ping');
    return true;
  }
}

function connection(changes: Partial<Lifetime> = {}, spoke = true) {
  const session = new FakeSession();
  const made = new Connection(session as unknown as Http2Session, { ...lifetime, ...changes }, 0);
  if (spoke) session.emit('remoteSettings');
  const at = (now_ms: number): string[] => {
    made.tick(now_ms);
    return session.done.splice(0);
  };
  return { session, made, at };
}

describe('a gRPC connection', () => {
  it('OTLP 24: that never speaks HTTP/2 is cut off', () => {
    const { at } = connection({}, false);
    expect(at(9)).toEqual([]);
    expect(at(10)).toEqual(['destroy']);
  });

  it('lives for ever without limits', () => {
    expect(connection().at(1e12)).toEqual([]);
  });

  it('OTLP 23: is closed after max_connection_idle without a call, and not with one', () => {
    const { made, at } = connection({ maxIdle_ms: 100 });
    made.callBegan();
    expect(at(500)).toEqual([]);
    made.callEnded(500);
    expect(at(599)).toEqual([]);
    expect(at(600)).toEqual(['close']);
  });

  it('OTLP 23: is closed at max_connection_age, once, and cut off after the grace', () => {
    const { made, at } = connection({ maxAge_ms: 100, maxAgeGrace_ms: 50 });
    made.callBegan();
    expect(at(100)).toEqual(['close']);
    expect(at(149)).toEqual([]);
    expect(at(150)).toEqual(['destroy']);
  });

  it('OTLP 24: that is silent is asked, and cut off when it does not answer', () => {
    const { session, at } = connection({ ping_ms: 100 });
    expect(at(100)).toEqual(['ping']);
    session.socket.bytesRead += 17;
    expect(at(110)).toEqual([]);
    expect(at(209)).toEqual([]);
    expect(at(210)).toEqual(['ping']);
    expect(at(229)).toEqual([]);
    expect(at(230)).toEqual(['destroy']);
  });

  it('OTLP 23: that pings too often is told to calm down, and goes', () => {
    const { session, made, at } = connection();
    made.callBegan();
    for (const now of [0, 100, 200, 210, 220]) made.pinged(now);
    expect(session.done).toEqual([]);
    made.pinged(230);
    expect(at(231)).toEqual(['goaway 11 too_many_pings', 'close']);
    expect(at(2000)).toEqual(['destroy']);
  });

  it('OTLP 23: may ping after an answer, and without a call only where it is permitted', () => {
    const { session, made } = connection();
    for (let i = 0; i < 10; i++) {
      made.callBegan();
      made.callEnded(i);
      made.pinged(i);
    }
    expect(session.done).toEqual([]);
    for (const now of [1000, 2000, 3000]) made.pinged(now);
    expect(session.done).toContain('goaway 11 too_many_pings');
    const permitted = connection({ pingWithoutCall: true });
    for (const now of [1000, 2000, 3000, 4000]) permitted.made.pinged(now);
    expect(permitted.session.done).toEqual([]);
  });
});
