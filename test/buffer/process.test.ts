// Row "a process(handler) loop with batch size, poll wait, auto-ack, after-batch callback, retries with delay, error policy
// and clean stop".

import { describe, expect, it } from '@jest/globals';
import type { ProcessOptions } from '../../buffer/index.ts';
import { appendDurably, openedOnMemory, textsOf } from './log_on_memory.ts';
import { settle } from './manual_clock.ts';
import { systemError } from './memory_file_system.ts';

async function processing(options: ProcessOptions, handle: (texts: string[]) => unknown = () => {}) {
  const opened = await openedOnMemory();
  await appendDurably(opened.shard, 'a', 'b', 'c', 'd', 'e');
  const group = await opened.stream.group('g');
  const abort = new AbortController();
  const seen: string[] = [];
  const done = group.process(
    (batch) => {
      const texts = textsOf(batch).map((one) => one.text);
      seen.push(texts.join(''));
      return handle(texts);
    },
    { signal: abort.signal, ...options },
  );
  done.catch(() => {});
  await settle();
  return { ...opened, group, abort, seen, done };
}

function failOn(text: string, times: number): (texts: string[]) => void {
  let left = times;
  return (texts) => {
    if (texts.includes(text) && left-- > 0) throw new Error(`no ${text}`);
  };
}

describe('process', () => {
  it('handles batches of the size, acknowledges them, calls back after each, and goes on with what comes', async () => {
    const after: unknown[] = [];
    const run = await processing({
      batchSize: 2,
      afterBatch: (batch, outcome) => after.push([batch.first, batch.next, outcome]),
    });
    await appendDurably(run.shard, 'f');
    await settle();
    expect(run.seen).toEqual(['ab', 'cd', 'e', 'f']);
    expect(after).toEqual(
      [
        [0, 2],
        [2, 4],
        [4, 5],
        [5, 6],
      ].map((range) => [...range, { result: 'handled', attempts: 1 }]),
    );
    expect(run.group.committed(run.shard)).toBe(6);
    run.abort.abort();
    await run.done;
    await run.log.close();
  });

  it('stops cleanly: the batch in hand is finished, what was acknowledged is durable, nothing is left behind', async () => {
    let finish = (): void => {};
    const run = await processing({ batchSize: 2 }, () => new Promise<void>((resolve) => (finish = resolve)));
    run.abort.abort();
    let ended = false;
    void run.done.then(() => {
      ended = true;
    });
    await settle();
    expect(ended).toBe(false);
    finish();
    await run.done;
    expect(run.seen).toEqual(['ab']);
    expect(run.shard.stats().readers).toBe(0);
    const again = await openedOnMemory({}, run.on.killed());
    expect((await again.stream.group('g')).committed(again.shard)).toBe(2);
    await again.log.close();
    await run.log.close();
  });

  it('ends when the log is closed', async () => {
    const run = await processing({});
    await run.log.close();
    await run.done;
    expect(run.on.clock.pending).toBe(0);
  });

  it('waits as long as the poll wait says and then looks again', async () => {
    const run = await processing({ pollWait_ms: 50 });
    for (let poll = 0; poll < 3; poll++) {
      run.on.clock.advance(50);
      await settle();
    }
    await appendDurably(run.shard, 'f');
    await settle();
    expect(run.seen).toEqual(['abcde', 'f']);
    run.abort.abort();
    await run.done;
    await run.log.close();
  });

  it('leaves acknowledging to the handler where it is told to', async () => {
    const run = await processing({ autoAck: false, batchSize: 2 });
    expect(run.group.committed(run.shard)).toBe(0);
    run.group.ack(run.shard, 0, 3);
    run.abort.abort();
    await run.done;
    const again = await openedOnMemory({}, run.on.killed());
    expect((await again.stream.group('g')).committed(again.shard)).toBe(3);
    await again.log.close();
    await run.log.close();
  });

  it('tries again after the delay, as often as it is told to', async () => {
    const run = await processing({ batchSize: 2, retries: 2, retryDelay_ms: 300 }, failOn('c', 2));
    expect(run.seen).toEqual(['ab', 'cd']);
    run.on.clock.advance(299);
    await settle();
    expect(run.seen).toEqual(['ab', 'cd']);
    run.on.clock.advance(1);
    await settle();
    run.on.clock.advance(300);
    await settle();
    expect(run.seen).toEqual(['ab', 'cd', 'cd', 'cd', 'e']);
    run.abort.abort();
    await run.done;
    await run.log.close();
  });

  it('stops by default with what the handler threw, keeps what went before and delivers the batch again', async () => {
    const run = await processing({ batchSize: 2, retries: 0 }, failOn('c', 1));
    await expect(run.done).rejects.toThrow('no c');
    const again = await openedOnMemory({}, run.on.killed());
    expect((await again.stream.group('g')).committed(again.shard)).toBe(2);
    await again.log.close();
    await run.log.close();
  });

  it.each([true, false])('skips a batch where it is told to (auto-ack %s)', async (autoAck) => {
    const outcomes: unknown[] = [];
    const options: ProcessOptions = {
      batchSize: 2,
      retries: 0,
      onError: 'skip',
      autoAck,
      afterBatch: (_batch, outcome) => outcomes.push([outcome.result, outcome.error !== undefined]),
    };
    const run = await processing(options, failOn('a', 9));
    expect(outcomes).toEqual([
      ['skipped', true],
      ['handled', false],
      ['handled', false],
    ]);
    expect(run.group.committed(run.shard)).toBe(autoAck ? 5 : 2);
    run.abort.abort();
    await run.done;
    await run.log.close();
  });

  it('gives a batch to the dead-letter callback, and keeps it where that fails', async () => {
    const aside: string[] = [];
    const run = await processing(
      {
        batchSize: 2,
        retries: 0,
        onError: (batch) => {
          const text = textsOf(batch)[0]!.text;
          if (text === 'e') throw new Error('nowhere to put it');
          aside.push(text);
        },
      },
      (texts) => {
        if (texts[0] !== 'a') throw new Error('no');
      },
    );
    await expect(run.done).rejects.toThrow('nowhere to put it');
    expect(aside).toEqual(['c']);
    expect(run.group.committed(run.shard)).toBe(4);
    await run.log.close();
  });

  it('leaves a batch unacknowledged that waits for its retry when it is stopped', async () => {
    const run = await processing({ batchSize: 2, onError: 'skip' }, failOn('a', 9));
    run.abort.abort();
    await run.done;
    expect(run.group.committed(run.shard)).toBe(0);
    expect(run.seen).toEqual(['ab']);
    await run.log.close();
  });

  it('tries a read again that the disk refuses, and gives up in the end', async () => {
    const opened = await openedOnMemory();
    await appendDurably(opened.shard, 'a');
    const group = await opened.stream.group('g');
    let failures = 2;
    opened.on.fileSystem.hook = (operation, path) => {
      if (operation === 'read' && path.endsWith('.log') && failures-- > 0) throw systemError('EIO');
    };
    const abort = new AbortController();
    const done = group.process(() => abort.abort(), { signal: abort.signal, retries: 2 });
    for (let retry = 0; retry < 2; retry++) {
      await settle();
      opened.on.clock.advance(1000);
    }
    await done;
    expect(group.committed(opened.shard)).toBe(1);
    await group.reset('earliest');
    failures = 9;
    await expect(group.process(() => {}, { retries: 0 })).rejects.toThrow('EIO');
    await opened.log.close();
  });
});
