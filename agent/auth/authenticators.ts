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
  const found = new Map<string, Authenticator>();
  for (const each of configured) {
    const { id } = each;
    const own = logger.with({ component: id });
    if (each.kind === 'bearer') found.set(id, bearerTokenAuthenticator(id, each.config, own));
    else if (each.kind === 'basic') found.set(id, basicAuthenticator(id, each.config, own));
  }
  return found;
}
