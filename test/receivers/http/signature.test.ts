import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { routeSchema } from '../../../receivers/http/config.ts';
import { Signature } from '../../../receivers/http/signature.ts';

const body = Buffer.from('{"a":1}');

function signature(options: object = {}): Signature {
  const route = routeSchema.parse({ signature: { header: 'X-Signature', secret: 'key', ...options } });
  return new Signature(route.signature!);
}

const hmac = (algorithm: string, encoding: 'hex' | 'base64', key = 'key') =>
  createHmac(algorithm, key).update(body).digest(encoding);

function admits(options: object, value: string | undefined): boolean {
  const checked = signature(options);
  const shown = checked.shown(value === undefined ? {} : { 'x-signature': value });
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
