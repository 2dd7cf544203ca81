import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Running, startReceiver } from '../../receivers/otlp/harness.ts';
import { besiegeGrpc, besiegeHttp } from './siege.ts';

const siege = { seed: 20_261_121, requests: 600 };
let running: Running;
beforeAll(async () => {
  running = await startReceiver();
});
afterAll(() => running.stop());

it('damaged requests over HTTP are taken or refused with a Status, and valid ones between them taken', async () => {
  const { answers, valid, raw } = await besiegeHttp(running.port, siege);
  expect([...answers.keys()]).toEqual(expect.arrayContaining([200, 400]));
  expect([valid, raw > 0]).toEqual([6, true]);
});

it('damaged calls over gRPC are taken or refused with a Status, and valid ones between them taken', async () => {
  const { answers, valid, raw } = await besiegeGrpc(running.grpcPort, siege);
  expect([...answers.keys()]).toEqual(expect.arrayContaining([0, 3]));
  expect([valid, raw > 0]).toEqual([6, true]);
});
