// Two worker threads behind every protocol: each takes a part of the connections, what came arrives once, and in order within a
// connection.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import fs from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { grpcSender } from '../../bench/load/senders.ts';
import { AgentProcess } from './agent_process.ts';
import { Backend } from './backend.ts';
import { idsOf, logsRequest, post } from './requests.ts';
import { removeDirectory, temporaryDirectory } from './temporary.ts';

const CLIENTS = 12;
const LINES = 5;
const NAME = /(?:http|grpc|tcp|udp)-\d+-\d+/;

let directory: string;
let backend: Backend;
let agent: AgentProcess | undefined;
beforeEach(async () => {
  directory = temporaryDirectory();
  backend = await Backend.start();
});
afterEach(async () => {
  await agent?.kill();
  await backend.stop();
  removeDirectory(directory);
});

const configuration = (): string => `receivers:
  otlp: { protocols: { http: { endpoint: 127.0.0.1:0 }, grpc: { endpoint: 127.0.0.1:0 } } }
  syslog: { tcp: { listen_address: 127.0.0.1:0 }, udp: { listen_address: 127.0.0.1:0 } }
exporters:
  otlp_http: { endpoint: ${backend.url} }
  file: { path: ${directory}/out/telemetry.jsonl }
buffer: { directory: ${directory}/buffer }
service:
  workers: 2
  telemetry: { metrics: { level: none }, logs: { encoding: json } }
  pipelines: { logs: { receivers: [otlp, syslog], exporters: [otlp_http, file] } }
`;

const names = (kind: string, client: number): string[] =>
  Array.from({ length: LINES }, (_, line) => `${kind}-${client}-${line}`);
const lineOf = (name: string): string => `<13>1 - - app - - - ${name}`;

async function sendOver(
  kind: 'http' | 'grpc' | 'tcp' | 'udp',
  client: number,
  to: AgentProcess,
): Promise<void> {
  const address = to.endpoint(kind);
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  if (kind === 'http') {
    for (const name of names(kind, client)) expect(await post(address, logsRequest([name]))).toBe(true);
  } else if (kind === 'grpc') {
    const sender = grpcSender(`http://${address}`, 'logs', 1);
    for (const name of names(kind, client)) expect(await sender.send(logsRequest([name]), 0)).toBe(true);
    await sender.close();
  } else if (kind === 'tcp') {
    const socket = connect(port, '127.0.0.1');
    socket.end(`${names(kind, client).map(lineOf).join('\n')}\n`);
    await once(socket.resume(), 'close');
  } else {
    const socket = createSocket('udp4');
    for (const name of names(kind, client)) {
      await new Promise((sent) => socket.send(lineOf(name), port, '127.0.0.1', sent));
    }
    socket.close();
  }
}

/** A record's body is what was sent, or the line that held it. */
const nameIn = (body: string): string => NAME.exec(body)![0];

/** What arrived so far, in the order of arrival. */
const arrived = (): string[] => backend.received.flatMap(({ body }) => idsOf(body).map(nameIn));

interface WrittenLogs {
  resourceLogs: { scopeLogs: { logRecords: { body: { stringValue: string } }[] }[] }[];
}

function bodiesIn({ resourceLogs }: WrittenLogs): string[] {
  return resourceLogs.flatMap(({ scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) => logRecords.map(({ body }) => body.stringValue)),
  );
}

/** What stands in the files of both workers; none or a part of it while they are being written. */
function written(): string[] {
  const out = path.join(directory, 'out');
  return ['telemetry.jsonl', 'telemetry.worker-1.jsonl'].flatMap((file) => {
    const text = fs.readFileSync(path.join(out, file), 'utf8');
    const whole = text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .slice(0, -1);
    return whole.flatMap((line) => bodiesIn(JSON.parse(line)).map(nameIn));
  });
}

test('OTLP over HTTP and gRPC, syslog over TCP and UDP: all of it once, in order within a connection', async () => {
  agent = await AgentProcess.start(directory, configuration());
  const running = agent;
  const kinds = ['http', 'grpc', 'tcp', 'udp'] as const;
  const clients = Array.from({ length: CLIENTS }, (_, client) => client);
  await Promise.all(kinds.flatMap((kind) => clients.map((client) => sendOver(kind, client, running))));
  const all = kinds.flatMap((kind) => clients.flatMap((client) => names(kind, client)));
  await backend.until(() => new Set(arrived()).size === all.length);
  // A file says nothing when it grows.
  while (written().length < all.length) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await agent.stop()).toBe(0);
  expect(arrived().toSorted()).toEqual(all.toSorted());
  // Requests over HTTP share connections as the client likes.
  for (const kind of ['grpc', 'tcp', 'udp']) {
    for (const client of clients) {
      const own = arrived().filter((name) => name.startsWith(`${kind}-${client}-`));
      expect(own).toEqual(names(kind, client));
    }
  }
  expect(written().toSorted()).toEqual(all.toSorted());
  // The kernel has given each worker something.
  for (const { size } of ['telemetry.jsonl', 'telemetry.worker-1.jsonl'].map((file) =>
    fs.statSync(`${directory}/out/${file}`),
  )) {
    expect(size).toBeGreaterThan(0);
  }
});
