import { EventEmitter } from 'node:events';
import { expect, test } from '@jest/globals';
import { watchUncaught } from '../../agent/uncaught.ts';
import { tellingLogger } from '../config/telling_logger.ts';

test('a connection that is gone ends nothing, anything else does; afterwards nobody listens', () => {
  const process = new EventEmitter();
  const told: string[] = [];
  const ended: string[] = [];
  const logger = tellingLogger((_, message) => told.push(message));
  const leave = watchUncaught(process, logger, (origin, error) => ended.push(`${origin}: ${error}`));
  process.emit(
    'uncaughtException',
    Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
    'uncaughtException',
  );
  expect([told.length, ended]).toEqual([1, []]);
  process.emit('unhandledRejection', 'nothing was thrown', Promise.resolve());
  process.emit('uncaughtException', new Error('bug'), 'uncaughtException');
  expect(ended).toEqual([
    'unhandledRejection: nothing was thrown',
    expect.stringMatching(/^uncaughtException: Error: bug/),
  ]);
  leave();
  expect(process.eventNames()).toEqual([]);
});
