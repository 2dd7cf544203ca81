// Lets in who shows one of the tokens, as the Collector's bearertokenauth does. Invariant: without a token nobody comes in,
// and how long a comparison takes tells nothing of the token.

import { HoldfastError } from '../../config/error.ts';
import type { Logger } from '../../config/logger.ts';
import type { Authenticator } from '../../receivers/authenticator.ts';
import { type Digest, digestOf, isSame } from '../../receivers/server/equal.ts';
import type { BearerTokenConfig } from '../schema/extensions.ts';
import { FreshLines } from './fresh_lines.ts';

/** @throws HoldfastError HF_AUTH_FILE, HF_AUTH_EMPTY */
export function bearerTokenAuthenticator(
  id: string,
  config: BearerTokenConfig,
  logger: Logger,
  now_ms?: () => number,
): Authenticator {
  const { filename, scheme } = config;
  const written = [...(config.token ? [config.token] : []), ...config.tokens].map((token) =>
    digestOf(token.reveal()),
  );
  const file =
    filename === undefined
      ? undefined
      : new FreshLines({ path: filename, id, logger, ...(now_ms && { now_ms }) }, (lines) => {
          if (lines.length === 0) {
            throw new HoldfastError('HF_AUTH_EMPTY', `${id}: the file ${filename} holds no token`, false);
          }
          return lines.map(digestOf);
        });
  return {
    header: config.header.toLowerCase(),
    challenge: scheme === '' ? 'Bearer' : scheme,
    admits(credentials) {
      const shown = tokenOf(credentials, scheme);
      return shown !== undefined && isAmong(digestOf(shown), file ? file.value : written);
    },
  };
}

/** The scheme's case does not matter (RFC 9110, 11.1). */
function tokenOf(credentials: string | undefined, scheme: string): string | undefined {
  if (credentials === undefined) return undefined;
  if (scheme === '') return credentials;
  const space = credentials.indexOf(' ');
  if (space < 0 || credentials.slice(0, space).toLowerCase() !== scheme.toLowerCase()) return undefined;
  return credentials.slice(space + 1).trim();
}

function isAmong(shown: Digest, known: readonly Digest[]): boolean {
  let found = false;
  // All of them, whichever it is.
  for (const each of known) found = isSame(shown, each) || found;
  return found;
}
