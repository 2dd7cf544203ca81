// The guards that the configuration describes, by the ids under which receivers name them.

import type { Logger } from '../../config/logger.ts';
import type { Authenticator } from '../../receivers/authenticator.ts';
import type { AuthenticatorConfig } from '../schema/extensions.ts';
import { basicAuthenticator } from './basic.ts';
import { bearerTokenAuthenticator } from './bearer_token.ts';

/** @throws HoldfastError when a file of secrets cannot be read or holds none: no door opens then */
export function authenticatorsOf(
  configured: readonly AuthenticatorConfig[],
  logger: Logger,
): ReadonlyMap<string, Authenticator> {
  return new Map(configured.map((each) => [each.id, made(each, logger.with({ component: each.id }))]));
}

function made(each: AuthenticatorConfig, logger: Logger): Authenticator {
  return each.kind === 'bearer'
    ? bearerTokenAuthenticator(each.id, each.config, logger)
    : basicAuthenticator(each.id, each.config, logger);
}
