// Connections of several servers under one limit.

import { once } from 'node:events';
import { createServer, request } from 'node:http';
import net, { type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConnectionLimit } from '../../receivers/connection_limit.ts';

const open: { destroy(): void }[] = [];
const servers: Server[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Resolves with whether the connection was kept: the server greets those that are. */
async function connected(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  open.push(socket);
  socket.on('error', () => {});
  return Promise.race([once(socket, 'data').then(() => true), once(socket, 'close').then(() => false)]);
}

describe('ConnectionLimit', () => {
  it('counts the connections of all servers, and has room again when one is closed', async () => {
    const limit = new ConnectionLimit(3);
    const greeting = (socket: net.Socket): void => {
      socket.on('error', () => {});
      if (!socket.destroyed) socket.write('hello');
    };
    const [one, two] = [net.createServer(greeting), net.createServer(greeting)];
    for (const server of [one, two]) limit.guard(server);
    const ports = [await listening(one), await listening(two)];
    expect(await connected(ports[0]!)).toBe(true);
    expect(await connected(ports[1]!)).toBe(true);
    expect(await connected(ports[0]!)).toBe(true);
    expect(await connected(ports[1]!)).toBe(false);
    expect(limit.open).toBe(3);
    const socket = open[0] as net.Socket;
    socket.destroy();
    // Room is there once the server has heard of it, and a connection comes later than that.
    while (limit.open === 3) await new Promise((resolve) => setImmediate(resolve));
    expect(await connected(ports[1]!)).toBe(true);
  });

  it('answers over HTTP whom it keeps, and cuts off the others', async () => {
    const limit = new ConnectionLimit(1);
    const server = createServer((_request, response) => response.end('ok'));
    limit.guard(server);
    const port = await listening(server);
    const ask = (agent: boolean): Promise<string> =>
      new Promise((resolve, reject) => {
        const asking = request({
          port,
          host: '127.0.0.1',
          agent: false,
          headers: { connection: agent ? 'keep-alive' : 'close' },
        });
        asking.on('response', (response) => {
          response.resume();
          open.push(response.socket);
          resolve(String(response.statusCode));
        });
        asking.on('error', reject);
        asking.end();
      });
    expect(await ask(true)).toBe('200');
    await expect(ask(false)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
