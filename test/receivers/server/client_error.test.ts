// An answer that is written by hand ends its connection, whatever its client does then.

import { Duplex } from 'node:stream';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { answerByHand } from '../../../receivers/server/client_error.ts';
import { malformed } from '../../../receivers/server/refusal.ts';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

it('is written whole, and a client that never closes its side is let go', async () => {
  let written = '';
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written += chunk.toString('latin1');
      done();
    },
  });
  answerByHand(socket, malformed('nonsense'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(written).toMatch(
    /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*Connection: close\r\n\r\n\{"code":3,"message":"nonsense"/,
  );
  expect(socket.destroyed).toBe(false);
  jest.advanceTimersByTime(5000);
  expect(socket.destroyed).toBe(true);
});
