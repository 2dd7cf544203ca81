// EMFILE: an agent that may open 64 files, and sixty clients who stay connected.

import { Agent, type ClientRequest, request } from 'node:http';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { AgentProcess } from './agent_process.ts';
import { Backend } from './backend.ts';
import { configuration } from './configuration.ts';
import { idsOf, logsRequest, post } from './requests.ts';
import { removeDirectory, temporaryDirectory } from './temporary.ts';

let directory: string;
let backend: Backend;
let agent: AgentProcess | undefined;
const clients: Agent[] = [];

beforeEach(async () => {
  directory = temporaryDirectory();
  backend = await Backend.start();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await agent?.kill();
  await backend.stop();
  removeDirectory(directory);
});

/** Posts over a connection that stays open. Resolves with the status, or `cut off` where there was none. */
function postAndStay(url: string, id: string): Promise<number | 'cut off'> {
  const client = new Agent({ keepAlive: true, maxSockets: 1 });
  clients.push(client);
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/x-protobuf' };
    const posting: ClientRequest = request(`${url}/v1/logs`, { method: 'POST', agent: client, headers });
    posting.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    posting.on('error', () => resolve('cut off'));
    posting.end(logsRequest([id]));
  });
}

test('under ulimit -n 64 whoever is let in is answered, and what was answered is delivered', async () => {
  const text = configuration({ directory, backends: { otlp_http: backend.url } });
  const through = ['sh', '-c', 'ulimit -n 64 && exec "$@"', 'sh'];
  agent = await AgentProcess.start(directory, text, [], { through });
  const url = agent.endpoint('http');
  const ids = Array.from({ length: 60 }, (_, index) => `client ${index}`);
  const outcomes = await Promise.all(ids.map((id) => postAndStay(url, id)));
  const answered = ids.filter((_, index) => outcomes[index] === 200);
  expect(new Set(outcomes)).toEqual(new Set([200, 'cut off']));
  expect(answered.length).toBeGreaterThanOrEqual(8);
  await backend.until(() =>
    answered.every((id) => backend.received.some(({ body }) => idsOf(body).includes(id))),
  );
  // They leave, and there is room for others.
  for (const client of clients.splice(0)) client.destroy();
  let late = 0;
  while (!(await post(url, logsRequest(['late'])))) late += 1;
  expect(late).toBeLessThan(1000);
  expect(await agent.stop()).toBe(0);
  expect(agent.lines.filter((line) => line.level === 'error')).toEqual([]);
});
