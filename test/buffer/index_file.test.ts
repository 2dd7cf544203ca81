// How dense an index is, is the log's to say; made anew from the data it has the same points.

import { expect, it } from '@jest/globals';
import { decodeIndex } from '../../buffer/segment.ts';
import { appendDurably, openedOnMemory } from './log_on_memory.ts';

const FIRST = '/log/s/0/00000000000000000000';

it.each([
  [4096, 4],
  [10_000, 2],
  [undefined, 1],
])(
  'an index with an interval of %s bytes has %s points, also where it is made anew',
  async (interval, points) => {
    const segment = {
      maxBytes: 16_000,
      ...(interval === undefined ? {} : { indexInterval_bytes: interval }),
    };
    const { on, log, shard } = await openedOnMemory({ segment });
    for (let entry = 0; entry < 12; entry++) await appendDurably(shard, 'x'.repeat(1500));
    await log.close();
    const index = Buffer.from(on.disk.bytes(`${FIRST}.index`));
    const { length } = on.disk.bytes(`${FIRST}.log`);
    const found = decodeIndex(index, 0, length)!.points;
    expect(found.length).toBe(points);
    for (const [at, point] of found.entries()) {
      if (at > 0) expect(point.position - found[at - 1]!.position).toBeGreaterThanOrEqual(interval!);
    }
    await on.fileSystem.remove(`${FIRST}.index`);
    await (await on.open({ segment })).close();
    const again = decodeIndex(on.disk.bytes(`${FIRST}.index`), 0, length)!.points;
    expect(again).toEqual(found);
  },
);
