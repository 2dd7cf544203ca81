// Whoever waits for a commit hears of it once, with all the others who wait for it.

import { describe, expect, it } from '@jest/globals';
import { CommitAnswers } from '../../../receivers/server/commit_answers.ts';

/** What was heard, in its order. */
function heard() {
  const all: string[] = [];
  const answers = new CommitAnswers<string>(
    (who) => all.push(who),
    (who, error) => all.push(`${who}: ${(error as Error).message}`),
  );
  return { all, answers };
}

/** A ticket that says how often it was waited for. */
function ticket() {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let waits = 0;
  const durable: Promise<void> = Object.create(promise, {
    // biome-ignore lint/suspicious/noThenProperty: it stands for a promise.
    then: {
      value: (...ends: Parameters<Promise<void>['then']>) => {
        waits += 1;
        return promise.then(...ends);
      },
    },
  });
  return { durable, resolve, reject, waits: () => waits };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('those who wait for one commit', () => {
  it('are answered in their order, in one pass that waits once', async () => {
    const { all, answers } = heard();
    const commit = ticket();
    for (const who of ['a', 'b', 'c']) answers.add(commit, who);
    await settled();
    expect(all).toEqual([]);
    commit.resolve();
    await settled();
    expect(all).toEqual(['a', 'b', 'c']);
    expect(commit.waits()).toBe(1);
  });

  it('all hear why it failed', async () => {
    const { all, answers } = heard();
    const commit = ticket();
    for (const who of ['a', 'b']) answers.add(commit, who);
    commit.reject(new Error('no disk'));
    await settled();
    expect(all).toEqual(['a: no disk', 'b: no disk']);
  });

  it('are answered though they came after it had settled', async () => {
    const { all, answers } = heard();
    const commit = ticket();
    answers.add(commit, 'a');
    commit.resolve();
    await settled();
    answers.add(commit, 'b');
    await settled();
    expect(all).toEqual(['a', 'b']);
  });
});

describe('commits of several shards', () => {
  it('keep apart who waits for which, in whatever order they settle', async () => {
    const { all, answers } = heard();
    const [one, other] = [ticket(), ticket()];
    for (const who of ['a', 'b', 'c', 'd']) answers.add(who < 'c' ? one : other, who);
    answers.add(one, 'e');
    other.reject(new Error('no disk'));
    await settled();
    expect(all).toEqual(['c: no disk', 'd: no disk']);
    one.resolve();
    await settled();
    expect(all.slice(2)).toEqual(['a', 'b', 'e']);
    answers.add(one, 'f');
    await settled();
    expect(all.at(-1)).toBe('f');
  });
});
