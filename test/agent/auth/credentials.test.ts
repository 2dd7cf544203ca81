import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { credentialsOf } from '../../../agent/auth/credentials.ts';
import {
  basicAuthSchema,
  bearerTokenAuthSchema,
  headersSetterSchema,
} from '../../../agent/schema/extensions.ts';
import { type Logger, silentLogger } from '../../../config/logger.ts';
import type { Credentials } from '../../../exporters/credentials.ts';

let directory: string;
let file: string;
let now_ms = 0;
let warnings: string[];
const logger: Logger = {
  ...silentLogger,
  with: () => logger,
  warn: (message, fields) => void warnings.push(`${message}: ${fields?.['reason']}`),
};

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'holdfast-credentials-'));
  file = path.join(directory, 'secret');
  now_ms = 0;
  warnings = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const id = 'own';
const clock = () => now_ms;
const bearer = (config: object) =>
  credentialsOf([{ id, kind: 'bearer', config: bearerTokenAuthSchema.parse(config) }], logger, clock).get(
    id,
  )!;
const basic = (client_auth: object) => {
  const config = basicAuthSchema.parse({ client_auth }).client_auth!;
  return credentialsOf([{ id, kind: 'basic_client', config }], logger, clock).get(id)!;
};
const setter = (...headers: object[]) =>
  credentialsOf([{ id, kind: 'headers', config: headersSetterSchema.parse({ headers }) }], logger, clock).get(
    id,
  )!;
const shown = (credentials: Credentials) =>
  Object.fromEntries(Object.entries(credentials.headers()).map(([name, value]) => [name, value.reveal()]));

describe('what exporters show', () => {
  it.each([
    [{ token: 't' }, { authorization: 'Bearer t' }],
    [{ tokens: ['first', 'second'] }, { authorization: 'Bearer first' }],
    [{ token: 't', scheme: '', header: 'X-Key' }, { 'x-key': 't' }],
  ])('is the token of bearertokenauth: %j', (config, headers) => {
    expect(shown(bearer(config))).toEqual(headers);
  });

  it('is user and password of basicauth, in UTF-8 as RFC 7617 says', () => {
    const authorization = `Basic ${Buffer.from('ann:p:w').toString('base64')}`;
    expect(shown(basic({ username: 'ann', password: 'p:w' }))).toEqual({ authorization });
  });

  it('is what headers_setter says, by names in small letters', () => {
    writeFileSync(file, 'of a file\n');
    const headers = setter({ key: 'X-Scope-OrgID', value: 'shop' }, { key: 'x-key', value_file: file });
    expect(shown(headers)).toEqual({ 'x-scope-orgid': 'shop', 'x-key': 'of a file' });
  });

  it('is read again from files, and is the same object while they say the same', () => {
    writeFileSync(file, 'one\ntwo');
    const credentials = bearer({ filename: file, token: 'written' });
    const first = credentials.headers();
    expect(shown(credentials)).toEqual({ authorization: 'Bearer one' });
    now_ms += 1000;
    expect(credentials.headers()).toBe(first);
    writeFileSync(file, 'three');
    now_ms += 1000;
    expect(shown(credentials)).toEqual({ authorization: 'Bearer three' });
  });

  it('stays when a file is gone, empty or no header, which is said', () => {
    writeFileSync(file, 'word');
    const credentials = basic({ username: 'ann', password_file: file });
    const before = credentials.headers();
    for (const text of ['', 'a\u0000b', 'größer']) {
      writeFileSync(file, text);
      now_ms += 1000;
      expect(credentials.headers()).toBe(before);
    }
    rmSync(file);
    now_ms += 1000;
    expect(credentials.headers()).toBe(before);
    expect(warnings.map((line) => line.replace(/.*secret /, ''))).toEqual([
      'is empty',
      'holds characters that no header can',
      'does not exist',
    ]);
    expect(warnings.join()).not.toContain('größer');
  });

  it('is an error at the start where a file cannot be used', () => {
    expect(() => bearer({ filename: file })).toThrow(/secret does not exist/);
    writeFileSync(file, '');
    expect(() => setter({ key: 'x-key', value_file: file })).toThrow(/is empty/);
    expect(() => bearer({ token: 'two\nlines' })).toThrow(/no header/);
  });

  it('cannot be printed by accident', () => {
    expect(JSON.stringify(bearer({ token: 's3cret' }).headers())).not.toContain('s3cret');
  });

  it('is nothing of what guards receivers alone', () => {
    const config = basicAuthSchema.parse({ htpasswd: { inline: 'ann:p' } }).htpasswd!;
    expect(credentialsOf([{ id, kind: 'basic', config }], logger).size).toBe(0);
  });
});
