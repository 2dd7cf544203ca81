// The pool's README names every error, option and call that there is, and its example does what it says.

import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as errors from '../../../buffer/pool/errors.ts';
import { Pool } from '../../../buffer/pool/pool.ts';

const folder = path.join(import.meta.dirname, '../../../buffer/pool');
const readme = fs.readFileSync(path.join(folder, 'README.md'), 'utf8');
const source = (file: string): string => fs.readFileSync(path.join(folder, file), 'utf8');

describe('the README of the pool', () => {
  it('lists every error, with its code', () => {
    const codes = [...source('errors.ts').matchAll(/'(HF_POOL_[A-Z_]+)'/g)].map((match) => match[1]!);
    expect(codes.length).toBe(Object.keys(errors).length);
    for (const name of [...codes, ...Object.keys(errors)]) expect(readme).toContain(`\`${name}\``);
  });

  it('lists every option and every call', () => {
    const body = source('pool.ts').split('interface PoolOptions {')[1]!.split('\n}')[0]!;
    const options = [...body.matchAll(/^ {2}readonly (\w+)/gm)].map((match) => match[1]!);
    const calls = Object.getOwnPropertyNames(Pool.prototype).filter((name) => name !== 'constructor');
    expect(calls.length).toBeGreaterThan(5);
    for (const name of [...options, ...calls]) expect(readme).toMatch(new RegExp(`\`${name}[\`(]`));
  });

  it('has an example that runs', async () => {
    const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
    const lines = example.split('\n').filter((line) => !line.startsWith('import'));
    const run = new Function('Pool', `${lines.join('\n')}\nreturn { pool, index };`);
    const { pool, index } = run(Pool) as { pool: Pool; index: number };
    expect(() => pool.value(index)).toThrow(errors.StaleIndex);
  });
});
