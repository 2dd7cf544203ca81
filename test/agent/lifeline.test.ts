import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { watchLifeline } from '../../agent/lifeline.ts';

const module = path.resolve(import.meta.dirname, '../../agent/lifeline.ts');
/** Says when it watches, stays alive by a timer, and leaves with code 7 when the launcher is gone. */
const child = `
  const { watchLifeline } = await import(${JSON.stringify(module)});
  setInterval(() => {}, 1_000_000);
  watchLifeline(process.env).gone.then(() => process.exit(7));
  console.log('watching');
`;

describe('the lifeline', () => {
  it('says that the launcher is gone when its end of the pipe closes', async () => {
    const agent = spawn(process.execPath, ['--input-type=module', '-e', child], {
      env: { ...process.env, HOLDFAST_LIFELINE_FD: '3' },
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    });
    const exit = once(agent, 'exit');
    await once(agent.stdout!, 'data');
    agent.stdio[3]!.destroy();
    expect((await exit)[0]).toBe(7);
  });

  it.each([undefined, '', '0', '-1', 'x', '1e1', '3; rm', '99999999'])('is not there for %j', (fd) => {
    expect(watchLifeline({ HOLDFAST_LIFELINE_FD: fd })).toBeUndefined();
  });

  it('is not there for a descriptor that is closed or a file', () => {
    expect(watchLifeline({ HOLDFAST_LIFELINE_FD: '9999' })).toBeUndefined();
    const fd = openSync(import.meta.filename, 'r');
    expect(watchLifeline({ HOLDFAST_LIFELINE_FD: String(fd) })).toBeUndefined();
  });
});
