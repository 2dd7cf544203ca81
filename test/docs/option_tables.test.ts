import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { optionTables, withTable } from './option_tables.ts';

const root = path.resolve(import.meta.dirname, '../..');

describe('the options in', () => {
  it.each(optionTables)(
    '$readme by $heading are those of the schema, with its defaults (npm run docs)',
    (table) => {
      const text = fs.readFileSync(path.join(root, table.readme), 'utf8');
      expect(withTable(text, table)).toBe(text);
    },
  );

  it('a table that lacks a key, has another one or another default are made anew, and keep what was said', () => {
    const [table] = optionTables;
    const text = fs.readFileSync(path.join(root, table!.readme), 'utf8');
    const damaged = text
      .replace(/^\| `idle_timeout`.*\n/m, '| `gone` | `1s` | nothing |\n')
      .replace('| `1000` ', '| `1` ');
    const mended = withTable(damaged, table!);
    expect(mended).not.toContain('`gone`');
    expect(mended).toMatch(/^\| `idle_timeout` +\| `1m5s` +\| +\|$/m);
    expect(mended).toMatch(/^\| `max_connections` +\| `1000` +\| more are closed as they come +\|$/m);
  });
});
