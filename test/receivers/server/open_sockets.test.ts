// A client that opens a connection and never ends its TLS handshake holds it for a bounded time, and keeps no server from
// stopping.

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { answerClientError } from '../../../receivers/server/client_error.ts';
import { OpenSockets } from '../../../receivers/server/open_sockets.ts';
import { selfSigned } from '../../exporters/otlp/self_signed.ts';
import { startReceiver } from '../otlp/harness.ts';

const { cert, key } = selfSigned('localhost');

async function silentClient(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

describe('a connection without a TLS handshake', () => {
  it('is closed when its time is up, though errors of clients are answered', async () => {
    const server = https.createServer({ cert, key, handshakeTimeout: 20 });
    server.on('clientError', (error, socket) => answerClientError(error, socket, undefined));
    new OpenSockets(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = await silentClient((server.address() as AddressInfo).port);
    await once(socket, 'close');
    server.close();
    await once(server, 'close');
  });

  it.each(['http', 'grpc'] as const)('does not keep %s from stopping at its deadline', async (protocol) => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'holdfast-sockets-'));
    try {
      writeFileSync(path.join(directory, 'cert.pem'), cert);
      const tls = { cert_file: path.join(directory, 'cert.pem'), key_pem: key };
      const running = await startReceiver({ [protocol]: { tls } });
      const port = protocol === 'http' ? running.port : running.grpcPort;
      const socket = await silentClient(port);
      const closed = once(socket, 'close');
      const deadline = new AbortController();
      const stopped = running.receiver.stop(deadline.signal);
      deadline.abort();
      await stopped;
      await closed;
      expect(socket.destroyed).toBe(true);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
