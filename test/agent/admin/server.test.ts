import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type AdminRoute, type AdminServer, startAdminServer } from '../../../agent/admin/server.ts';
import { type LogFields, type Logger, silentLogger } from '../../../config/logger.ts';

const running: AdminServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function start(routes: Record<string, AdminRoute>, port = 0, logger: Logger = silentLogger) {
  const server = await startAdminServer({
    connectionsMax: 64,
    name: 'health_check',
    host: '127.0.0.1',
    port,
    routes: new Map(Object.entries(routes)),
    logger,
  });
  running.push(server);
  return server;
}

const ok: AdminRoute = () => ({ status: 200, contentType: 'text/plain', body: 'fine' });

/** Sends raw bytes and returns everything that came back until the server closed. */
async function raw(address: string, request: string): Promise<string> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  socket.setEncoding('latin1');
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.on('error', () => {});
  socket.write(request);
  await once(socket, 'close');
  return answer;
}

describe('the admin server', () => {
  it('answers GET and HEAD on its paths, queries aside', async () => {
    const { address } = await start({ '/': ok });
    const got = await fetch(`http://${address}/?verbose=1`);
    expect([got.status, await got.text(), got.headers.get('content-type')]).toEqual([
      200,
      'fine',
      'text/plain',
    ]);
    const head = await fetch(`http://${address}/`, { method: 'HEAD' });
    expect([head.status, await head.text(), head.headers.get('content-length')]).toEqual([200, '', '4']);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    'refuses %s without running the route',
    async (method) => {
      let ran = false;
      const { address } = await start({
        '/metrics': () => {
          ran = true;
          return { status: 200, contentType: 'text/plain', body: '' };
        },
      });
      const answer = await fetch(`http://${address}/metrics`, { method });
      expect([answer.status, answer.headers.get('allow'), ran]).toEqual([405, 'GET, HEAD', false]);
    },
  );

  it('says which paths there are for another one', async () => {
    const { address } = await start({ '/metrics': ok });
    const answer = await fetch(`http://${address}/`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('/metrics');
  });

  it('answers 500 without the reason when a route throws, and logs the reason', async () => {
    const logged: LogFields[] = [];
    const logger = {
      ...silentLogger,
      error: (_message: string, fields: LogFields = {}) => logged.push(fields),
    };
    const throwing: AdminRoute = () => {
      throw new Error('inner detail');
    };
    const { address } = await start({ '/': throwing }, 0, logger);
    const answer = await fetch(`http://${address}/`);
    expect([answer.status, (await answer.text()).includes('inner detail')]).toEqual([500, false]);
    expect(logged).toEqual([{ path: '/', error: 'Error: inner detail' }]);
  });

  it('refuses headers beyond its limit and stays up', async () => {
    const { address } = await start({ '/': ok });
    const answer = await raw(address, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect((await fetch(`http://${address}/`)).status).toBe(200);
  });

  it('answers nonsense with 400 and stays up', async () => {
    const { address } = await start({ '/': ok });
    expect(await raw(address, '\x16\x03\x01\x02\x00\x01\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect((await fetch(`http://${address}/`)).status).toBe(200);
  });

  it('does not take the body of one request for the next request', async () => {
    const { address } = await start({ '/': ok });
    const inner = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await raw(
      address,
      `GET / HTTP/1.1\r\nHost: x\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
    );
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('says whose port is taken and what to do', async () => {
    const { address } = await start({ '/': ok });
    const port = Number(address.split(':')[1]);
    await expect(start({ '/': ok }, port)).rejects.toMatchObject({
      code: 'HF_ADMIN_LISTEN',
      message: `health_check cannot listen on 127.0.0.1:${port}: another process listens there; stop it or configure another port`,
    });
  });

  it('closes at once although a client keeps its connection open', async () => {
    const server = await start({ '/': ok });
    const [host, port] = server.address.split(':');
    const socket = connect(Number(port), host);
    await once(socket, 'connect');
    socket.on('error', () => {});
    const gone = once(socket, 'close');
    await server.close();
    await gone;
  });
});
