// The bare server and client say enough of HTTP for whoever speaks it properly.

import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { BareClient, bareServer } from '../../../bench/model/bare.ts';

let server: Server | undefined;

async function listening(one: Server): Promise<string> {
  server = one;
  one.listen(0, '127.0.0.1');
  await once(one, 'listening');
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
}

afterEach(() => {
  server?.close();
});

it('answers a request of many chunks when it is whole', async () => {
  const url = await listening(bareServer());
  for (const bytes of [0, 10, 300_000]) {
    const asked = request(url, { method: 'POST', agent: false });
    asked.end(Buffer.alloc(bytes));
    const [response] = await once(asked, 'response');
    expect(response.statusCode).toBe(200);
    response.resume();
  }
});

it('sends what a server of HTTP takes', async () => {
  const seen: unknown[] = [];
  const url = await listening(
    createServer((message, response) => {
      let bytes = 0;
      message.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      message.on('end', () => {
        seen.push([message.method, message.url, message.headers['content-encoding'], bytes]);
        response.writeHead(200, { 'content-length': 0 }).end();
      });
    }),
  );
  const client = await BareClient.connect(url, '/v1/traces');
  await client.send(Buffer.alloc(200_000), '');
  await client.send(Buffer.alloc(7), 'Content-Encoding: gzip\r\n');
  client.close();
  expect(seen).toEqual([
    ['POST', '/v1/traces', undefined, 200_000],
    ['POST', '/v1/traces', 'gzip', 7],
  ]);
});
