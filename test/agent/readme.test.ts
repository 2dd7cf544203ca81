import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { commands } from '../../agent/command_line.ts';
import { bufferSchema, DEFAULT_DIRECTORY } from '../../agent/schema/buffer.ts';
import { retentionSchema } from '../../agent/schema/retention.ts';
import { redact } from '../../config/redact.ts';
import { knownKeys } from '../../config/schema.ts';

const readme = readFileSync(path.resolve(import.meta.dirname, '../../agent/README.md'), 'utf8');

/** Key → default, from the table below `heading`. */
function table(heading: string): Map<string, string> {
  const section = readme.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| `([\w.]+)` +\| (.+?) +\| /gm)];
  return new Map(rows.map(([, key, value]) => [key!, value!.replaceAll('`', '')]));
}

describe('the README of the agent', () => {
  it('has every key of the buffer section with its real default, and no other', () => {
    const documented = table('`buffer`');
    const defaults = redact(bufferSchema.parse({}), bufferSchema) as Record<string, unknown>;
    const retention = defaults['retention'] as Record<string, unknown>;
    const keys = [...knownKeys([bufferSchema])].filter((key) => key !== 'retention');
    for (const key of knownKeys([retentionSchema])) keys.push(`retention.${key}`);
    expect([...documented.keys()].toSorted()).toEqual(keys.toSorted());
    for (const [key, text] of documented) {
      const value = key.startsWith('retention.') ? retention[key.slice(10)] : defaults[key];
      const expected = key === 'directory' ? DEFAULT_DIRECTORY : String(value ?? 'none');
      expect([key, text]).toEqual([key, expected]);
    }
  });

  it('names every command', () => {
    for (const name of Object.keys(commands)) expect(readme).toMatch(new RegExp(`\`holdfast \\[?${name}`));
  });
});
