import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type LifecycleOptions, watchProcess } from '../../agent/lifecycle.ts';
import { type LogFields, silentLogger } from '../../config/logger.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function begin(over: Partial<LifecycleOptions> = {}) {
  const events = new EventEmitter();
  const exits: number[] = [];
  const logged: string[] = [];
  const log = (message: string, fields?: LogFields) =>
    void logged.push(`${message} ${fields?.['error'] ?? ''}`);
  let flushed = 0;
  const { ended: code, leave } = watchProcess({
    process: Object.assign(events, { exit: (exit: number) => exits.push(exit) }),
    logger: { ...silentLogger, warn: log, error: log },
    stop: async () => {},
    timeout_ms: 20_000,
    flush: () => {
      flushed += 1;
    },
    ...over,
  });
  return { events, exits, logged, code, leave, flushed: () => flushed };
}

const never = () => new Promise<void>(() => {});

describe('the end of the process', () => {
  it.each(['SIGTERM', 'SIGINT'])(
    'comes in good order with %s, exit code 0, and leaves no listener',
    async (signal) => {
      const { events, exits, code } = begin();
      events.emit(signal, signal);
      expect(await code).toBe(0);
      expect(exits).toEqual([]);
      expect(events.eventNames()).toEqual([]);
    },
  );

  it('comes at once with a second signal', () => {
    const { events, exits, flushed } = begin({ stop: never });
    events.emit('SIGTERM', 'SIGTERM');
    events.emit('SIGINT', 'SIGINT');
    expect([exits, flushed()]).toEqual([[130], 1]);
  });

  it('takes the same signal again within half a second for an echo of npm, and after it for a second one', () => {
    const { events, exits } = begin({ stop: never });
    events.emit('SIGINT', 'SIGINT');
    events.emit('SIGINT', 'SIGINT');
    jest.advanceTimersByTime(499);
    events.emit('SIGINT', 'SIGINT');
    expect(exits).toEqual([]);
    jest.advanceTimersByTime(1);
    events.emit('SIGINT', 'SIGINT');
    expect(exits).toEqual([130]);
  });

  it('comes within the deadline although stopping hangs, after a last chance to cut off what is left', () => {
    let cutOff = false;
    const { events, exits } = begin({
      stop: (deadline) => {
        deadline.addEventListener('abort', () => {
          cutOff = true;
        });
        return never();
      },
    });
    events.emit('SIGTERM', 'SIGTERM');
    jest.advanceTimersByTime(18_999);
    expect([cutOff, exits]).toEqual([false, []]);
    jest.advanceTimersByTime(1);
    expect([cutOff, exits]).toEqual([true, []]);
    jest.advanceTimersByTime(1_000);
    expect(exits).toEqual([0]);
  });

  it('leaves a last chance with a very short deadline too', () => {
    let cutOff = false;
    const { events } = begin({
      timeout_ms: 100,
      stop: (deadline) => {
        deadline.addEventListener('abort', () => {
          cutOff = true;
        });
        return never();
      },
    });
    events.emit('SIGTERM', 'SIGTERM');
    jest.advanceTimersByTime(50);
    expect(cutOff).toBe(true);
  });

  it('has exit code 1 when stopping fails, with the reason in the log', async () => {
    const { events, logged, code } = begin({ stop: () => Promise.reject(new Error('offsets not written')) });
    events.emit('SIGTERM', 'SIGTERM');
    expect(await code).toBe(1);
    expect(logged.join()).toContain('offsets not written');
  });

  it('does not come with SIGHUP', () => {
    const { events, exits, logged } = begin();
    events.emit('SIGHUP', 'SIGHUP');
    expect(exits).toEqual([]);
    expect(logged.join()).toContain('not there yet');
  });

  it('comes in good order when the launcher is gone', async () => {
    const { code } = begin({ orphaned: Promise.resolve() });
    expect(await code).toBe(0);
  });

  it.each(['uncaughtException', 'unhandledRejection'])(
    'comes with exit code 1 after an %s, and the log says why',
    (event) => {
      const { events, exits, logged, flushed } = begin();
      events.emit(event, new Error('broken invariant'), event);
      expect([exits, flushed()]).toEqual([[1], 1]);
      expect(logged.join()).toContain('broken invariant');
    },
  );

  it('does not come because a connection was reset and nobody listened', () => {
    const { events, exits, logged } = begin();
    events.emit('uncaughtException', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    expect(exits).toEqual([]);
    expect(logged.join()).toContain('ECONNRESET');
  });

  it('is nobody’s business any more after leaving', () => {
    const { events, leave } = begin();
    leave();
    expect(events.eventNames()).toEqual([]);
  });

  it('copes with something thrown that is no error', () => {
    const { events, exits } = begin();
    events.emit('unhandledRejection', undefined, Promise.resolve());
    expect(exits).toEqual([1]);
  });
});
