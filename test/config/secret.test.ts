import { format, inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Secret } from '../../config/secret.ts';

const hidden = 'hunter2';

describe('Secret', () => {
  const secret = new Secret(hidden);

  it('gives its value to those who ask by name', () => {
    expect(secret.reveal()).toBe(hidden);
  });

  it.each<[string, () => unknown]>([
    ['String()', () => String(secret)],
    ['a template', () => `${secret}`],
    ['concatenation', () => 'a '.concat(secret as unknown as string)],
    ['JSON', () => JSON.stringify({ a: [secret], b: secret })],
    ['inspect', () => inspect({ secret }, { depth: 9, showHidden: true, getters: true })],
    ['format', () => format('%s %o %O %j %d', secret, secret, secret, secret, secret)],
    ['an error message', () => new Error(`no: ${secret}`).stack],
    ['its keys', () => JSON.stringify([Object.entries(secret), Reflect.ownKeys(secret).map(String)])],
    ['spreading', () => JSON.stringify({ ...secret })],
    ['a structured clone', () => inspect(structuredClone(secret))],
    ['an array joined', () => [secret, secret].join()],
  ])('does not show it in %s', (_way, show) => {
    expect(String(show())).not.toContain(hidden);
  });

  it('cannot be changed or given other ways to print', () => {
    expect(() => Object.assign(secret, { toJSON: () => hidden })).toThrow(TypeError);
  });
});
