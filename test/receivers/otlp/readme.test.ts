// The README's tables against the schema: every key is there, with the default that it really has, and no other key is.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatDuration } from '../../../config/duration.ts';
import { type Address, formatAddress } from '../../../config/endpoint.ts';
import { formatSize } from '../../../config/size.ts';
import { type OtlpReceiverConfig, otlpReceiverSchema } from '../../../receivers/otlp/config.ts';

const readme = readFileSync(path.join(import.meta.dirname, '../../../receivers/otlp/README.md'), 'utf8');

/** Key → what the second column says, for the table whose first heading is `heading`. */
function table(heading: string): Map<string, string> {
  const rows = readme
    .slice(readme.indexOf(`| ${heading} `))
    .split('\n\n')[0]!
    .split('\n')
    .slice(2);
  const found = new Map<string, string>();
  let prefix = '';
  for (const row of rows) {
    const [, names = '', value = ''] = row.split('|').map((cell) => cell.trim());
    for (const [, name = ''] of names.matchAll(/`([^`]+)`/g)) {
      // `… time` continues the section of the key above it.
      const key = name.startsWith('… ') ? prefix + name.slice(2) : name;
      prefix = key.slice(0, key.lastIndexOf('.') + 1);
      if (names.startsWith('`keepalive.server_parameters`')) prefix = 'keepalive.server_parameters.';
      found.set(key, value.replace(/^`|`$/g, ''));
    }
  }
  return found;
}

/** A value as the table writes it. */
function written(key: string, value: unknown): string {
  if (key === 'endpoint') return formatAddress(value as Address);
  if (key === 'max_request_body_size') return formatSize(value as number);
  const isDuration = /_timeout$|_time$|\.(time|timeout|max_connection_\w+)$/.test(key);
  return isDuration && value !== 0 ? formatDuration(value as number) : String(value);
}

/** Keys with their defaults, sections flattened. */
function flattened(config: object, prefix = ''): [string, unknown][] {
  return Object.entries(config).flatMap(([name, value]) => {
    const key = prefix + name;
    const inner = typeof value === 'object' && value !== null && key !== 'endpoint';
    return inner ? flattened(value, `${key}.`) : [[key, value] as [string, unknown]];
  });
}

describe('the README of the OTLP receiver', () => {
  const { protocols } = otlpReceiverSchema.parse({}) as OtlpReceiverConfig;

  it.each(['grpc', 'http'] as const)('states every default under protocols.%s', (protocol) => {
    const stated = table(`key under \`protocols.${protocol}\``);
    const common = table('key under `protocols.grpc`');
    for (const [key, value] of flattened(protocols[protocol]!)) {
      const says = stated.get(key);
      expect([protocol, key, says]).not.toEqual([protocol, key, undefined]);
      // "as above"
      expect([key, says === '' ? common.get(key) : says]).toEqual([key, written(key, value)]);
    }
  });

  it.each(['grpc', 'http'] as const)(
    'states no key under protocols.%s that the schema does not take',
    (protocol) => {
      for (const key of table(`key under \`protocols.${protocol}\``).keys()) {
        const value = key
          .split('.')
          .reduceRight<unknown>((inner, name) => ({ [name]: inner }), Symbol.for('no value'));
        const result = otlpReceiverSchema.safeParse({ protocols: { [protocol]: value } });
        const unknown = result.error?.issues.filter((issue) => issue.code === 'unrecognized_keys') ?? [];
        expect([key, unknown]).toEqual([key, []]);
      }
    },
  );
});
