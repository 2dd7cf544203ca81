// The tables of options in the READMEs of components, made from the schemas: every key, its default, and no other. What a key
// means is written by hand in the table itself and stays. Invariant: made twice, the text is the same.

import type * as z from 'zod';
import { redact } from '../../config/redact.ts';
import { childrenOf, knownKeys } from '../../config/schema.ts';
import { debugConfig } from '../../exporters/debug/config.ts';
import { drainShape } from '../../exporters/drain/config.ts';
import { fileConfig } from '../../exporters/file/config.ts';
import { httpReceiverSchema, routeSchema } from '../../receivers/http/config.ts';
import { syslogReceiverSchema } from '../../receivers/syslog/config.ts';

export interface OptionTable {
  readonly readme: string;
  /** Of the first column. */
  readonly heading: string;
  readonly schema: z.ZodType;
  /** The least that the schema takes where all of its sections are there: its values are required. */
  readonly least?: object;
  /** Documented elsewhere. */
  readonly but?: readonly string[];
  /** Defaults that are said in words. */
  readonly words?: Readonly<Record<string, string>>;
}

const drainKeys = Object.keys(drainShape);

export const optionTables: readonly OptionTable[] = [
  {
    readme: 'receivers/http/README.md',
    heading: 'key',
    schema: httpReceiverSchema,
    words: { routes: 'one, at `/`' },
  },
  {
    readme: 'receivers/http/README.md',
    heading: 'key of a route',
    schema: routeSchema,
    least: {
      signature: { header: 'x', secret: 'x', timestamp: { header: 'x' } },
      required_header: { key: 'x', value: 'x' },
      timestamp: { path: 'x' },
      severity: { path: 'x' },
    },
  },
  {
    readme: 'receivers/syslog/README.md',
    heading: 'key',
    schema: syslogReceiverSchema,
    least: { tcp: {}, udp: {}, unix: { listen_address: '/x' } },
  },
  {
    readme: 'exporters/file/README.md',
    heading: 'option',
    schema: fileConfig,
    least: { path: '/x' },
    but: drainKeys,
  },
  {
    readme: 'exporters/debug/README.md',
    heading: 'option',
    schema: debugConfig,
    but: drainKeys.filter((key) => key !== 'protect'),
  },
];

/** The README with one table made anew. @throws Error where it has none with that heading */
export function withTable(text: string, table: OptionTable): string {
  const found = new RegExp(`^\\| ${table.heading} +\\|[^\\n]*\\n\\|[ |-]+\\n(?:\\|.*\\n)+`, 'm').exec(text);
  if (!found) throw new Error(`${table.readme} has no table of ${table.heading}`);
  const [head, , ...rows] = found[0].trimEnd().split('\n').map(cellsOf) as [
    string[],
    string[],
    ...string[][],
  ];
  const meanings = new Map(rows.map(([key, , meaning]) => [key!.replaceAll('`', ''), meaning!]));
  const keys = keysOf([table.schema], meanings).filter((key) => !table.but?.includes(key.split('.')[0]!));
  const known = [...meanings.keys()].filter((key) => keys.includes(key));
  const all = [...known, ...keys.filter((key) => !meanings.has(key))];
  const values = redact(table.schema.parse(table.least ?? {}), table.schema);
  const made = all.map((key) => [`\`${key}\``, defaultOf(table, values, key), meanings.get(key) ?? '']);
  return text.replace(found[0], () => aligned([head, ...made]));
}

function cellsOf(row: string): string[] {
  return row
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
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

function defaultOf({ least, words }: OptionTable, values: unknown, key: string): string {
  if (words?.[key] !== undefined) return words[key];
  if (typeof at(least, key) === 'string') return 'required';
  const value = at(values, key);
  if (value === undefined || value === '') return '';
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return isEmpty ? 'none' : `\`${value}\``;
}

function at(values: unknown, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((within, name) => (within as Record<string, unknown> | undefined)?.[name], values);
}

function aligned([head, ...rows]: readonly (readonly string[])[]): string {
  const widths = head!.map((_, column) => Math.max(3, ...[head!, ...rows].map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |\n`;
  return [line(head!), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('');
}
