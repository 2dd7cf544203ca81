import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { routeSchema } from '../../../receivers/http/config.ts';
import { Signature } from '../../../receivers/http/signature.ts';

const NOW_MS = 1_795_000_000_000;
const body = Buffer.from('{"a":1}');

function signature(options: object = {}): Signature {
  const route = routeSchema.parse({ signature: { header: 'X-Signature', secret: 'key', ...options } });
  return new Signature(route.signature!);
}

const hmac = (algorithm: string, encoding: 'hex' | 'base64', key = 'key') =>
  createHmac(algorithm, key).update(body).digest(encoding);

function admits(options: object, value: string | undefined): boolean {
  const checked = signature(options);
  const shown = checked.shown(value === undefined ? {} : { 'x-signature': value }, NOW_MS);
  return shown !== undefined && checked.fits(shown, body);
}

test.each([
  [{}, hmac('sha256', 'hex')],
  [{}, hmac('sha256', 'hex').toUpperCase()],
  [{ prefix: 'sha256=' }, `sha256=${hmac('sha256', 'hex')}`],
  [{ algorithm: 'sha512', encoding: 'base64' }, hmac('sha512', 'base64')],
])('%j admits what is signed', (options, value) => {
  expect(admits(options, value)).toBe(true);
});

test.each([
  [{}, undefined],
  [{}, ''],
  [{}, hmac('sha256', 'hex', 'another key')],
  [{}, hmac('sha1', 'hex')],
  [{}, hmac('sha256', 'hex').slice(0, 10)],
  [{}, `${hmac('sha256', 'hex')}00`],
  [{}, `${hmac('sha256', 'hex')}zz`],
  [{}, hmac('sha256', 'base64')],
  [{ prefix: 'sha256=' }, hmac('sha256', 'hex')],
])('%j refuses %s', (options, value) => {
  expect(admits(options, value)).toBe(false);
});

const NOW_S = NOW_MS / 1000;
const TIMED = { timestamp: { header: 'X-Time', tolerance: '5m' } };

/** @param signed the time that was signed, @param told the one in the header */
function admitsAt(options: object, before: string, told: string | undefined): boolean {
  const checked = signature(options);
  const value = createHmac('sha256', 'key').update(before).update(body).digest('hex');
  const shown = checked.shown(
    { 'x-signature': value, ...(told !== undefined && { 'x-time': told }) },
    NOW_MS,
  );
  return shown !== undefined && checked.fits(shown, body);
}

test.each([0, -300, 300])('a time of signing %i s away is near enough', (away_s) => {
  const told = String(NOW_S + away_s);
  expect(admitsAt(TIMED, `${told}.`, told)).toBe(true);
  const slack = { timestamp: { header: 'X-Time', signed: 'v0:{timestamp}:' } };
  expect(admitsAt(slack, `v0:${told}:`, told)).toBe(true);
});

test.each([
  ['older than the tolerance', `${NOW_S - 301}.`, String(NOW_S - 301)],
  ['from the future', `${NOW_S + 301}.`, String(NOW_S + 301)],
  ['another one than was signed', `${NOW_S - 900}.`, String(NOW_S)],
  ['not signed', '', String(NOW_S)],
  ['missing', `${NOW_S}.`, undefined],
  ['empty', '.', ''],
  ['no number', 'now.', 'now'],
  ['not in whole seconds', `${NOW_S}.5.`, `${NOW_S}.5`],
  ['in milliseconds', `${NOW_MS}.`, String(NOW_MS)],
  ['a list', `${NOW_S}, ${NOW_S}.`, `${NOW_S}, ${NOW_S}`],
])('a time of signing that is %s is refused', (_, before, told) => {
  expect(admitsAt(TIMED, before, told)).toBe(false);
});

test('what is signed has to hold the time', () => {
  const timestamp = { header: 'X-Time', signed: 'v0:' };
  const parsed = routeSchema.safeParse({ signature: { header: 'X', secret: 'key', timestamp } });
  expect(parsed.error?.issues[0]?.message).toMatch(/without \{timestamp\} the time could be changed/);
});
