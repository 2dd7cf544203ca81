// What may be said of a failure: one short printable line. Invariant: nothing that a backend or the network says reaches a
// log uncut, with control characters, or with a secret of ours in it.

import { HoldfastError } from '../../config/error.ts';
import { redacted } from '../../config/secret.ts';

const MESSAGE_CHARACTERS_MAX = 256;
/** Shorter header values are too common in messages to be taken for a secret. */
const SECRET_CHARACTERS_MIN = 6;

/** One line of printable text, cut. */
export function tidy(text: string): string {
  const line = text
    .slice(0, 4 * MESSAGE_CHARACTERS_MAX)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\s]+/gu, ' ')
    .trim();
  return line.length <= MESSAGE_CHARACTERS_MAX ? line : `${line.slice(0, MESSAGE_CHARACTERS_MAX)}…`;
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return tidy(String(error));
  if (error instanceof HoldfastError) return error.message;
  const code = 'code' in error ? String(error.code) : error.name;
  const message = tidy(error.message);
  return message === '' || message.includes(code) ? message || code : `${code}: ${message}`;
}

/** A backend may repeat in its message what it was sent: this takes `values` out of a text. */
export function withoutSecrets(values: readonly string[]): (text: string) => string {
  const secrets = values.filter((value) => value.length >= SECRET_CHARACTERS_MIN);
  return (text) => secrets.reduce((left, secret) => left.replaceAll(secret, redacted), text);
}
