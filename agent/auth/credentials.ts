// What exporters show of us, made from the same extensions that guard receivers and from headers_setter. Invariant: files are
// asked again at most a second after they were read, and what no header can hold is never sent.

import { HoldfastError } from '../../config/error.ts';
import type { Logger } from '../../config/logger.ts';
import { Secret } from '../../config/secret.ts';
import type { Credentials } from '../../exporters/credentials.ts';
import type {
  AuthenticatorConfig,
  BasicClientConfig,
  BearerTokenConfig,
  HeadersSetterConfig,
} from '../schema/extensions.ts';
import { FreshLines } from './fresh_lines.ts';

/** A value that may change. */
type Source = () => string;

/** What all of them need to read files. */
interface Surroundings {
  readonly id: string;
  readonly logger: Logger;
  readonly now_ms?: () => number;
}

/** @throws HoldfastError when a file of secrets cannot be read or holds none: nothing is sent without it then */
export function credentialsOf(
  configured: readonly AuthenticatorConfig[],
  logger: Logger,
  now_ms?: () => number,
): ReadonlyMap<string, Credentials> {
  const found = new Map<string, Credentials>();
  for (const each of configured) {
    const { id } = each;
    const around = { id, logger: logger.with({ component: id }), ...(now_ms && { now_ms }) };
    if (each.kind === 'bearer') found.set(id, bearer(each.config, around));
    else if (each.kind === 'basic_client') found.set(id, basic(each.config, around));
    else if (each.kind === 'headers') found.set(id, headers(each.config, around));
  }
  return found;
}

function bearer(
  { header, scheme, token, tokens, filename }: BearerTokenConfig,
  around: Surroundings,
): Credentials {
  // Of several tokens clients send the first, as the Collector does.
  const source = sourceOf(filename, token ?? tokens[0], around);
  return assembled([source], ([shown]) => ({
    [header.toLowerCase()]: scheme === '' ? shown! : `${scheme} ${shown}`,
  }));
}

/** RFC 7617, 2. */
function basic(config: BasicClientConfig, around: Surroundings): Credentials {
  const user = sourceOf(config.username_file, config.username, around);
  const password = sourceOf(config.password_file, config.password, around);
  return assembled([user, password], ([name, word]) => ({
    authorization: `Basic ${Buffer.from(`${name}:${word}`, 'utf8').toString('base64')}`,
  }));
}

function headers(config: HeadersSetterConfig, around: Surroundings): Credentials {
  const names = config.headers.map(({ key }) => key.toLowerCase());
  const sources = config.headers.map(({ value, value_file }) => sourceOf(value_file, value, around));
  return assembled(sources, (values) =>
    Object.fromEntries(names.map((name, index) => [name, values[index]!])),
  );
}

/** The first line of a file wins over what the configuration says, as in the Collector. */
function sourceOf(
  path: string | undefined,
  written: string | Secret | undefined,
  { id, logger, now_ms }: Surroundings,
): Source {
  if (path !== undefined) {
    const file = new FreshLines({ path, id, logger, ...(now_ms && { now_ms }) }, (lines) => {
      const [line] = lines;
      if (line === undefined)
        throw new HoldfastError('HF_AUTH_EMPTY', `${id}: the file ${path} is empty`, false);
      checkValue(line, `${id}: the file ${path}`);
      return line;
    });
    return () => file.value;
  }
  // The schema demands one of the two.
  const value = written instanceof Secret ? written.reveal() : (written ?? '');
  checkValue(value, id);
  return () => value;
}

function checkValue(value: string, where: string): void {
  // RFC 9110, 5.5, without the bytes above ASCII, which HTTP/2 libraries read in different ways.
  if (/^[\x20-\x7e]*$/.test(value)) return;
  throw new HoldfastError('HF_AUTH_VALUE', `${where} holds characters that no header can`, false);
}

/** Puts the headers together anew only when one of their sources says something else. */
function assembled(
  sources: readonly Source[],
  headersOf: (values: readonly string[]) => Readonly<Record<string, string>>,
): Credentials {
  let values: readonly string[] = [];
  let made: Readonly<Record<string, Secret>> | undefined;
  return {
    headers() {
      const next = sources.map((source) => source());
      if (made && next.every((value, index) => value === values[index])) return made;
      values = next;
      made = Object.fromEntries(
        Object.entries(headersOf(next)).map(([name, value]) => [name, new Secret(value)]),
      );
      return made;
    },
  };
}
