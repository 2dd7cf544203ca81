// Load must not make the heap of new objects grow: what hangs on it outside of the heap would pile up.

import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const file = pathToFileURL(`${import.meta.dirname}/../../agent/young_generation.ts`).href;
/** Allocates hundreds of megabytes, a part of which lives on for a while, and says how large the space became. */
const program = `
import { getHeapSpaceStatistics } from 'node:v8';
const living = [];
for (let index = 0; index < 3_000_000; index++) living[index % 50_000] = { index, text: [index, index] };
console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size);
`;

function newSpaceAfter(source: string): number {
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' }));
}

describe('the heap of new objects', () => {
  it('stays as small as it starts, where Node lets it grow', () => {
    const kept = newSpaceAfter(`import ${JSON.stringify(file)};${program}`);
    const grown = newSpaceAfter(program);
    expect(kept).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(grown).toBeGreaterThan(2 * kept);
  });
});
