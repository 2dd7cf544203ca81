// Lets in who shows a user and password of an htpasswd list, as the Collector's basicauth does: plain, {SHA} and {SSHA}.
// Invariant: a line that cannot be checked is an error and never a user, and an unknown user costs as much as a wrong password.

import { createHash } from 'node:crypto';
import { HoldfastError } from '../../config/error.ts';
import type { Logger } from '../../config/logger.ts';
import type { Authenticator } from '../../receivers/authenticator.ts';
import { digestOf, isSame } from '../../receivers/server/equal.ts';
import type { HtpasswdConfig } from '../schema/extensions.ts';
import { FreshLines, linesOf } from './fresh_lines.ts';

const SHA1_BYTES = 20;

type Check = (password: string) => boolean;
type Users = ReadonlyMap<string, Check>;

const nobody: Check = checkOf('no user has this password')!;

/** @throws HoldfastError HF_AUTH_FILE, HF_AUTH_EMPTY, HF_AUTH_HASH */
export function basicAuthenticator(
  id: string,
  { file, inline }: HtpasswdConfig,
  logger: Logger,
  now_ms?: () => number,
): Authenticator {
  const inlined = inline ? usersOf(id, linesOf(inline.reveal())) : undefined;
  const read =
    file === undefined
      ? undefined
      : new FreshLines({ path: file, id, logger, ...(now_ms && { now_ms }) }, (lines) => usersOf(id, lines));
  return {
    header: 'authorization',
    challenge: 'Basic realm="otlp", charset="UTF-8"',
    admits(credentials) {
      const shown = userOf(credentials);
      if (!shown) return false;
      // The Collector's order: what is written in the configuration wins.
      const check = inlined?.get(shown.user) ?? read?.value.get(shown.user);
      const matches = (check ?? nobody)(shown.password);
      return check !== undefined && matches;
    },
  };
}

function usersOf(id: string, lines: readonly string[]): Users {
  const users = new Map<string, Check>();
  for (const line of lines) {
    if (line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const [user, rest] = [line.slice(0, Math.max(0, colon)), line.slice(colon + 1)];
    if (user === '' || rest === '') {
      throw new HoldfastError('HF_AUTH_HASH', `${id}: a line of htpasswd is not user:password`, false);
    }
    const check = checkOf(rest);
    if (!check) {
      throw new HoldfastError(
        'HF_AUTH_HASH',
        `${id}: the password of ${JSON.stringify(user)} has a hash that is not known here: write it plain or as {SHA}, {SSHA}`,
        false,
      );
    }
    users.set(user, check);
  }
  if (users.size === 0) throw new HoldfastError('HF_AUTH_EMPTY', `${id}: htpasswd names no user`, false);
  return users;
}

/** Undefined where the hash is of another kind: bcrypt and apr1 begin with $. */
function checkOf(text: string): Check | undefined {
  if (text.startsWith('$')) return undefined;
  const [, kind, encoded] = /^\{([A-Z0-9]+)\}(.*)$/.exec(text) ?? [];
  if (kind === undefined) {
    const known = digestOf(text);
    return (password) => isSame(digestOf(password), known);
  }
  const hash = Buffer.from(encoded!, 'base64');
  const [sum, salt] = [hash.subarray(0, SHA1_BYTES), hash.subarray(SHA1_BYTES)];
  const fits = sum.length === SHA1_BYTES && (kind === 'SSHA' ? salt.length > 0 : salt.length === 0);
  if (!fits || (kind !== 'SHA' && kind !== 'SSHA')) return undefined;
  return (password) => isSame(createHash('sha1').update(password).update(salt).digest(), sum);
}

/** RFC 7617, 2: base64 of user, colon, password. */
function userOf(credentials: string | undefined): { user: string; password: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+=*) *$/i.exec(credentials ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
