import { describe, expect, it } from '@jest/globals';
import { Wake } from '../../../exporters/drain/wake.ts';

describe('waking up', () => {
  it('ends the wait', async () => {
    const wake = new Wake();
    const waited = wake.wait();
    wake.notify();
    await waited;
  });

  it('is not missed when it came before the wait, and counts once', async () => {
    const wake = new Wake();
    wake.notify();
    wake.notify();
    await wake.wait();
    let again = false;
    void wake.wait().then(() => {
      again = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(again).toBe(false);
  });
});
