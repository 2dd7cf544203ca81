// The tables of options in the READMEs of components say what the schemas say: every key, its default, and no other.

import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { redact } from '../../config/redact.ts';
import { childrenOf, knownKeys } from '../../config/schema.ts';
import { debugConfig } from '../../exporters/debug/config.ts';
import { drainShape } from '../../exporters/drain/config.ts';
import { fileConfig } from '../../exporters/file/config.ts';
import { httpReceiverSchema, routeSchema } from '../../receivers/http/config.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Key → default, from the table whose first column has that heading. */
function table(readme: string, heading: string): Map<string, string> {
  const text = fs.readFileSync(path.join(root, readme), 'utf8');
  const found = new RegExp(`^\\| ${heading} +\\|[^\\n]*\\n\\|[ |-]+\\n((?:\\|.*\\n)+)`, 'm').exec(text);
  const rows = [...(found?.[1] ?? '').matchAll(/^\| `([\w.]+)` +\| (.*?) *\| /gm)];
  return new Map(rows.map(([, key, value]) => [key!, value!.replaceAll('`', '')]));
}

/** Keys in dots, down to those that have a row of their own or none below them. */
function keysOf(
  schemas: readonly z.core.$ZodType[],
  rows: ReadonlyMap<string, string>,
  prefix = '',
): string[] {
  return [...knownKeys(schemas)].flatMap((key) => {
    const name = `${prefix}${key}`;
    const inner = schemas.flatMap((schema) => childrenOf(schema, key));
    if (rows.has(name) || knownKeys(inner).length === 0) return [name];
    return keysOf(inner, rows, `${name}.`);
  });
}

function defaultOf(values: unknown, key: string): string {
  const value = key
    .split('.')
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], values);
  if (value === undefined) return '';
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return isEmpty ? 'none' : String(value);
}

const filled = {
  path: '/x',
  signature: { header: 'x', secret: 'x', timestamp: { header: 'x' } },
  required_header: { key: 'x', value: 'x' },
  timestamp: { path: 'x' },
  severity: { path: 'x' },
};
const { path: _path, ...route } = filled;

interface Documented {
  readonly readme: string;
  readonly heading: string;
  readonly schema: z.ZodType;
  readonly input?: object;
  /** Documented elsewhere. */
  readonly but?: readonly string[];
}
const tables: readonly Documented[] = [
  { readme: 'receivers/http/README.md', heading: 'key', schema: httpReceiverSchema },
  { readme: 'receivers/http/README.md', heading: 'key of a route', schema: routeSchema, input: route },
  {
    readme: 'exporters/file/README.md',
    heading: 'option',
    schema: fileConfig,
    input: { path: '/x' },
    but: Object.keys(drainShape),
  },
  {
    readme: 'exporters/debug/README.md',
    heading: 'option',
    schema: debugConfig,
    but: Object.keys(drainShape).filter((key) => key !== 'protect'),
  },
];

describe('the options in', () => {
  it.each(tables)(
    '$readme by $heading are those of the schema, with its defaults',
    ({ readme, heading, schema, input, but }) => {
      const rows = table(readme, heading);
      expect(rows.size).toBeGreaterThan(0);
      const keys = keysOf([schema], rows).filter((key) => !but?.includes(key.split('.')[0]!));
      expect([...rows.keys()].toSorted()).toEqual(keys.toSorted());
      const values = redact(schema.parse(input ?? {}), schema);
      for (const [key, text] of rows) {
        // What has no default is given, and what is many things is said in words.
        if (text === 'required' || key === 'routes') continue;
        expect([key, text]).toEqual([key, defaultOf(values, key)]);
      }
    },
  );
});
