import { describe, expect, it } from '@jest/globals';
import { HoldfastError } from '../../../config/error.ts';
import { MalformedOtlp } from '../../../otlp/malformed.ts';
import { IntakeFull, IntakeTooLarge } from '../../../receivers/receiver.ts';
import {
  logRefusal,
  overloaded,
  refusalOf,
  refusedHere,
  tooLarge,
} from '../../../receivers/server/refusal.ts';
import { tellingLogger } from '../../config/telling_logger.ts';

describe('refusals', () => {
  it.each([
    ['malformed', new MalformedOtlp('bad', 3), 400, 3, undefined],
    ['full', new IntakeFull('full', 30), 503, 14, 30],
    ['full without a wish', new IntakeFull('full', 0), 503, 14, 1],
    ['too large for ever', new IntakeTooLarge('too large'), 413, 8, undefined],
    ['a fault that may pass', new HoldfastError('HF_X_Y', 'm', true), 503, 14, 1],
    ['a fault that will not', new HoldfastError('HF_X_Y', 'm', false), 500, 13, undefined],
    ['a bug', new TypeError('m'), 500, 13, undefined],
    ['no error at all', undefined, 500, 13, undefined],
    ['one of ours', overloaded('m'), 503, 14, 1],
    ['over a limit', tooLarge(5, 'the body'), 413, 8, undefined],
  ])('say of %s', (_what, error, http, rpc, retryAfter_s) => {
    expect(refusalOf(error)).toMatchObject({ http, rpc, retryAfter_s });
  });

  it('never are a success', () => {
    for (const error of [null, 0, '', 'text', {}, new Error('x')]) {
      expect(refusalOf(error).http).toBeGreaterThanOrEqual(400);
      expect(refusalOf(error).rpc).toBeGreaterThan(0);
    }
  });

  it('do not tell a client what only the operator should know', () => {
    const inner = new HoldfastError('HF_SEGMENT_WRITE', 'EIO: /var/lib/holdfast/traces/0', true);
    expect(refusalOf(inner).message).toBe('the request could not be stored (HF_SEGMENT_WRITE)');
    expect(refusalOf(new Error('at /srv/app.ts')).message).toBe(
      'the request could not be stored (HF_RECEIVER_INTERNAL)',
    );
  });

  it('are counted by who refuses', () => {
    expect(refusedHere(overloaded('m'))).toBe(true);
    expect(refusedHere(new MalformedOtlp('m', 0))).toBe(true);
    expect(refusedHere(new IntakeFull('m', 1))).toBe(false);
    expect(refusedHere(new HoldfastError('HF_X_Y', 'm', true))).toBe(false);
  });

  it('are logged by whose fault they are', () => {
    const lines: string[] = [];
    const logger = tellingLogger((level, message) => lines.push(`${level} ${message}`));
    for (const error of [new MalformedOtlp('m', 0), new IntakeFull('m', 1), new TypeError('m')]) {
      logRefusal(logger, 'http', refusalOf(error));
    }
    expect(lines).toEqual(['warn request refused', 'debug request put off', 'error request failed']);
  });
});
