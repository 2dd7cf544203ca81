import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { basicAuthenticator } from '../../../agent/auth/basic.ts';
import { bearerTokenAuthenticator } from '../../../agent/auth/bearer_token.ts';
import { basicAuthSchema, bearerTokenAuthSchema } from '../../../agent/schema/extensions.ts';
import { type Logger, silentLogger } from '../../../config/logger.ts';

let directory: string;
let file: string;
let now_ms = 0;
let warnings: string[];
const logger: Logger = {
  ...silentLogger,
  warn: (message, fields) => void warnings.push(`${message}: ${fields?.['reason']}`),
};

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'holdfast-auth-'));
  file = path.join(directory, 'secrets');
  now_ms = 0;
  warnings = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const bearer = (config: object) =>
  bearerTokenAuthenticator('bearertokenauth', bearerTokenAuthSchema.parse(config), logger, () => now_ms);
const basic = (htpasswd: object) =>
  basicAuthenticator('basicauth', basicAuthSchema.parse({ htpasswd }).htpasswd!, logger, () => now_ms);
const encoded = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('bearer tokens', () => {
  it('of a file are read again when it changes', () => {
    writeFileSync(file, 'one\n\n  two \n');
    const guard = bearer({ filename: file });
    expect([guard.admits('Bearer one'), guard.admits('Bearer two'), guard.admits('Bearer ')]).toEqual([
      true,
      true,
      false,
    ]);
    writeFileSync(file, 'three');
    expect(guard.admits('Bearer one')).toBe(true);
    now_ms += 1000;
    expect([guard.admits('Bearer one'), guard.admits('Bearer three')]).toEqual([false, true]);
  });

  it('of a file that is gone or empty stay those before, which is said once', () => {
    writeFileSync(file, 'one');
    const guard = bearer({ filename: file });
    writeFileSync(file, '\n');
    now_ms += 1000;
    expect([guard.admits('Bearer one'), guard.admits('Bearer ')]).toEqual([true, false]);
    now_ms += 1000;
    expect(guard.admits('Bearer one')).toBe(true);
    expect(warnings).toEqual([expect.stringMatching(/those before stay: .*holds no token/)]);
    rmSync(file);
    now_ms += 1000;
    expect(guard.admits('Bearer one')).toBe(true);
    expect(warnings[1]).toMatch(/does not exist/);
    writeFileSync(file, 'two');
    now_ms += 1000;
    expect([guard.admits('Bearer one'), guard.admits('Bearer two')]).toEqual([false, true]);
  });

  it('of a file that is missing or empty at the start keep it from starting', () => {
    expect(() => bearer({ filename: file })).toThrow(expect.objectContaining({ code: 'HF_AUTH_FILE' }));
    writeFileSync(file, ' \n');
    expect(() => bearer({ filename: file })).toThrow(expect.objectContaining({ code: 'HF_AUTH_EMPTY' }));
  });

  it('may stand in another header, with another scheme or none', () => {
    const guard = bearer({ header: 'X-Api-Key', scheme: '', token: 'k' });
    expect(guard.header).toBe('x-api-key');
    expect([guard.admits('k'), guard.admits('Bearer k'), guard.admits(undefined), guard.admits('')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it.each([{}, { token: '' }, { tokens: [] }, { tokens: [''] }, { filename: '' }, { token: null }])(
    'are needed: %j is an error',
    (config) => {
      expect(bearerTokenAuthSchema.safeParse(config).success).toBe(false);
    },
  );
});

describe('users and passwords', () => {
  const sha = createHash('sha1').update('pass').digest('base64');
  const ssha = Buffer.concat([createHash('sha1').update('passsalt').digest(), Buffer.from('salt')]);

  it('are checked plain, as {SHA} and as {SSHA}', () => {
    const lines = `# users\nann:pass\nbob:{SHA}${sha}\neve:{SSHA}${ssha.toString('base64')}\n`;
    const guard = basic({ inline: lines });
    for (const user of ['ann', 'bob', 'eve']) {
      expect(guard.admits(encoded(`${user}:pass`))).toBe(true);
      expect(guard.admits(encoded(`${user}:Pass`))).toBe(false);
      expect(guard.admits(encoded(`${user}:`))).toBe(false);
    }
    expect(guard.admits(encoded(`bob:{SHA}${sha}`))).toBe(false);
    expect(guard.admits('Basic !!!')).toBe(false);
    expect(guard.admits(undefined)).toBe(false);
  });

  it('of the configuration win over those of the file, which is read again', () => {
    writeFileSync(file, 'ann:file\nbob:file\n');
    const guard = basic({ file, inline: 'ann:inline' });
    const admits = (text: string) => guard.admits(encoded(text));
    expect([admits('ann:inline'), admits('ann:file'), admits('bob:file')]).toEqual([true, false, true]);
    writeFileSync(file, 'bob:new\n');
    now_ms += 1000;
    expect([admits('bob:file'), admits('bob:new')]).toEqual([false, true]);
  });

  it.each([
    ['bcrypt', 'ann:$2y$05$abcdefghijklmnopqrstuv'],
    ['apr1', 'ann:$apr1$salt$hash'],
    ['an unknown hash', 'ann:{MD5}abc'],
    ['a sum of another length', 'ann:{SHA}YWJj'],
    ['a user without password', 'ann:'],
    ['no user', ':pass'],
    ['no colon', 'ann'],
  ])('that cannot be checked keep it from starting and are not shown: %s', (_what, line) => {
    const start = () => basic({ inline: line });
    expect(start).toThrow(expect.objectContaining({ code: 'HF_AUTH_HASH' }));
    expect(start).not.toThrow(/\$2y|apr1\$salt|YWJj/);
  });

  it.each([{}, { htpasswd: {} }, { htpasswd: null }, { htpasswd: { inline: '' } }])(
    'are needed: %j is an error',
    (config) => {
      expect(basicAuthSchema.safeParse(config).success).toBe(false);
    },
  );

  it('that nobody has keep it from starting', () => {
    expect(() => basic({ inline: '# nobody\n' })).toThrow(expect.objectContaining({ code: 'HF_AUTH_EMPTY' }));
  });
});
