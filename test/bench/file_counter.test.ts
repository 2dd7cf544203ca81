import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from '@jest/globals';
import { FileCounter } from '../../bench/file_counter.ts';

describe('FileCounter', () => {
  let directory: string;
  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-counter-'));
  });
  afterEach(() => fs.rmSync(directory, { recursive: true }));

  it.each(['\n', '"mark":'])('counts %j wherever reads and writes cut it, each once', async (mark) => {
    const file = path.join(directory, 'out.log');
    const counter = new FileCounter(file, mark);
    fs.writeFileSync(file, `${mark}a${mark}${mark.slice(0, 1)}`);
    await counter.arrived(2);
    fs.appendFileSync(file, mark.slice(1) + 'x'.repeat(3 << 20));
    // Across the boundary of a chunk.
    fs.appendFileSync(file, `${'y'.repeat((1 << 20) - 3)}${mark}`.repeat(5));
    await counter.arrived(6);
    const idle = counter.arrived(1);
    fs.appendFileSync(file, mark);
    await idle;
  });
});
