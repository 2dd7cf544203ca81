// Who may send: asked by the servers of receivers before anything else of a request is looked at, made by the agent from
// the extensions of its configuration. Invariant: it says no to everything that it does not know.

import type { IncomingHttpHeaders } from 'node:http';
import { HoldfastError } from '../config/error.ts';

export interface Authenticator {
  /** The HTTP header or gRPC metadata that holds the credentials, in small letters. */
  readonly header: string;
  /** For WWW-Authenticate (RFC 9110, 11.6.1). */
  readonly challenge: string;
  /** In constant time as far as secrets are compared. */
  admits(credentials: string | undefined): boolean;
}

/** A part of a receiver's configuration that names an authenticator. */
export interface AuthenticatorReference {
  /** Of the value within the receiver's configuration. */
  readonly path: readonly (string | number)[];
  /** Of the extension, such as `bearertokenauth` or `basicauth/edge`. */
  readonly id: string;
}

export function isAdmitted(authenticator: Authenticator, headers: IncomingHttpHeaders): boolean {
  const value = headers[authenticator.header];
  return authenticator.admits(typeof value === 'string' ? value : undefined);
}

/** @throws HoldfastError HF_RECEIVER_AUTH: a door that names a guard never opens without it */
export function authenticatorOf(
  reference: { readonly authenticator: string } | undefined,
  authenticators: ReadonlyMap<string, Authenticator> | undefined,
): Authenticator | undefined {
  if (!reference) return undefined;
  const found = authenticators?.get(reference.authenticator);
  if (found) return found;
  throw new HoldfastError(
    'HF_RECEIVER_AUTH',
    `no extension ${JSON.stringify(reference.authenticator)} authenticates (auth.authenticator)`,
    false,
  );
}
