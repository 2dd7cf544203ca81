// Who we say we are to a destination: asked by exporters for each request, made by the agent from the extensions of its
// configuration. Invariant: what an exporter sends is at most a second older than the files that hold it.

import { HoldfastError } from '../config/error.ts';
import type { Secret } from '../config/secret.ts';

export interface Credentials {
  /** For a request that leaves now, names in small letters; the same object for as long as nothing has changed. */
  headers(): Readonly<Record<string, Secret>>;
}

/** A part of an exporter's configuration that names credentials. */
export interface CredentialsReference {
  /** Of the value within the exporter's configuration. */
  readonly path: readonly string[];
  /** Of the extension, such as `bearertokenauth` or `basicauth/cloud`. */
  readonly id: string;
}

/** @throws HoldfastError HF_EXPORT_AUTH: an exporter that was given a name to go by never sends without it */
export function credentialsNamed(
  reference: { readonly authenticator: string } | undefined,
  credentials: ReadonlyMap<string, Credentials> | undefined,
): Credentials | undefined {
  if (!reference) return undefined;
  const found = credentials?.get(reference.authenticator);
  if (found) return found;
  throw new HoldfastError(
    'HF_EXPORT_AUTH',
    `no extension ${JSON.stringify(reference.authenticator)} has credentials to send (auth.authenticator)`,
    false,
  );
}
