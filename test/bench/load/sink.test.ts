// The backend as a process: it says when everything has come, over connections of any client, and says why when it never will.

import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { Sink } from '../../../bench/children.ts';
import { tracesRequest } from '../../../bench/load/payload.ts';

const sinks: Sink[] = [];
const dispatcher = new Agent();

afterEach(() => {
  for (const sink of sinks.splice(0)) sink.stop();
});
afterAll(() => dispatcher.destroy());

function newSink(): Sink {
  const sink = new Sink();
  sinks.push(sink);
  return sink;
}

it('counts what came over several connections, from zero after a reset', async () => {
  const sink = newSink();
  const url = await sink.url();
  const send = async (body: Buffer, headers: Record<string, string> = {}) => {
    const answer = await request(`${url}/v1/traces`, { method: 'POST', body, headers, dispatcher });
    await answer.body.dump();
    expect(answer.statusCode).toBe(200);
  };
  // Longer than a read, and than what a socket holds.
  const large = tracesRequest(1, 20_000);
  const small = gzipSync(tracesRequest(2, 10));
  await Promise.all([
    ...[1, 2, 3].map(() => send(large)),
    ...[1, 2, 3].map(() => send(small, { 'content-encoding': 'gzip' })),
  ]);
  await sink.arrived(60_030);
  sink.reset();
  const arrived = sink.arrived(512);
  await send(tracesRequest(3, 512));
  await arrived;
});

it('says why it will never have everything', async () => {
  const sink = newSink();
  const url = await sink.url();
  const arrived = sink.arrived(1);
  const refused = request(url, { method: 'POST', body: 'no request of OTLP', dispatcher });
  await Promise.all([
    expect(arrived).rejects.toThrow('not a request of OTLP'),
    expect(refused).rejects.toThrow('closed'),
  ]);
});
