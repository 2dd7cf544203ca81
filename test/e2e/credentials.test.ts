// A token that runs out and is replaced in its file while the agent runs: nothing is lost, nothing is restarted.

import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Seeded } from '../../bench/load/payload.ts';
import { AgentProcess } from './agent_process.ts';
import { Backend } from './backend.ts';
import { type Content, ContentClient, contentOf, hashesIn } from './content.ts';
import { removeDirectory, temporaryDirectory } from './temporary.ts';

const SEED = 20_261_121;

let directory: string;
let backend: Backend;
let agent: AgentProcess;

beforeEach(async () => {
  directory = temporaryDirectory();
  backend = await Backend.start();
});
afterEach(async () => {
  await agent.stop();
  await backend.stop();
  removeDirectory(directory);
});

test('OTLP 39: a token that is replaced in its file is shown from then on, and what was held is delivered', async () => {
  const file = path.join(directory, 'token');
  fs.writeFileSync(file, 'first-token\n');
  let valid = 'Bearer first-token';
  const revoked = Promise.withResolvers<void>();
  backend.behave = (_body, request) => {
    if (request.headers.authorization === valid) return 200;
    revoked.resolve();
    return 401;
  };
  agent = await AgentProcess.start(
    directory,
    `receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:0" }, grpc: { endpoint: "127.0.0.1:0" } } }
exporters:
  otlp_http:
    endpoint: ${backend.url}
    auth: { authenticator: bearertokenauth }
    retry_on_failure: { initial_interval: 20ms, max_interval: 100ms }
extensions:
  bearertokenauth: { filename: ${file} }
buffer: { directory: ${directory}/buffer }
service:
  extensions: [bearertokenauth]
  telemetry: { metrics: { level: none }, logs: { level: debug, encoding: json } }
  pipelines:
    traces: { receivers: [otlp], exporters: [otlp_http] }
    metrics: { receivers: [otlp], exporters: [otlp_http] }
    logs: { receivers: [otlp], exporters: [otlp_http] }
`,
  );
  console.log(`SEED=${SEED}`);
  const random = new Seeded(SEED);
  const client = new ContentClient(agent.endpoint('http'), agent.endpoint('grpc'));
  const send = async (id: string): Promise<Content> => {
    const content = contentOf(random, id, 200);
    expect(await client.send(content, 'plain')).toBe(true);
    return content;
  };
  const has = ({ hash }: Content) =>
    backend.received.some(({ signal, body }) => hashesIn(signal, body).includes(hash));
  const before = await send('before');
  await backend.until(() => has(before));
  valid = 'Bearer second-token';
  const held = await send('held');
  await revoked.promise;
  expect(has(held)).toBe(false);
  fs.writeFileSync(file, 'second-token\n');
  await backend.until(() => has(held));
  client.close();
  for (const token of ['first-token', 'second-token']) expect(agent.output()).not.toContain(token);
});
