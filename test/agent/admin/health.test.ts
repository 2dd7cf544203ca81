import { describe, expect, it } from '@jest/globals';
import { type Condition, healthRoute, uptime } from '../../../agent/admin/health.ts';

async function ask(condition: Condition) {
  const route = healthRoute({ condition: () => condition, startedAt_ms: 1_000, now: () => 62_500 });
  const { status, body, contentType } = await route();
  return { status, contentType, body: JSON.parse(body) };
}

describe('the health answer', () => {
  it('is what the Collector answers when all is well', async () => {
    expect(await ask({ ready: true, problems: [], warnings: [] })).toEqual({
      status: 200,
      contentType: 'application/json',
      body: { status: 'Server available', upSince: '1970-01-01T00:00:01.000Z', uptime: '1m1.5s' },
    });
  });

  it('is 503 before the agent is ready', async () => {
    const answer = await ask({ ready: false, problems: [], warnings: [] });
    expect(answer).toMatchObject({
      status: 503,
      body: { status: 'Server not available', reason: expect.any(String) },
    });
  });

  it('is 503 with the reason when a shard cannot write', async () => {
    const answer = await ask({ ready: true, problems: ['traces.otlp/0 is poisoned'], warnings: [] });
    expect(answer).toMatchObject({ status: 503, body: { problems: ['traces.otlp/0 is poisoned'] } });
  });

  it('stays 200 with a held exporter, and says so', async () => {
    const answer = await ask({ ready: true, problems: [], warnings: ['otlp_http/cloud is held'] });
    expect(answer).toMatchObject({ status: 200, body: { warnings: ['otlp_http/cloud is held'] } });
  });
});

describe('the uptime', () => {
  it.each([
    [0, '0s'],
    [-5, '0s'],
    [49_013, '49.013s'],
    [60_000, '1m0s'],
    [93_784_500, '26h3m4.5s'],
  ])('of %d ms reads %s', (elapsed_ms, text) => {
    expect(uptime(elapsed_ms)).toBe(text);
  });
});
