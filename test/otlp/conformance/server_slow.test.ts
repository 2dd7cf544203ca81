// shared/OTLP.md, line 24: slow, silent, half-open and too many connections are bounded, over both protocols.

import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  GrpcClient,
  PROTOBUF,
  type Running,
  raw,
  request,
  startReceiver,
} from '../../receivers/otlp/harness.ts';

let running: Running;
afterEach(() => running.stop());

const head = (length: number) =>
  `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: ${length}\r\n`;

describe('OTLP over slow connections', () => {
  it('OTLP 24: headers and bodies that do not come in time are 408 with a Status', async () => {
    running = await startReceiver({ http: { read_header_timeout: '100ms', read_timeout: '200ms' } });
    const { port, intake } = running;
    const [noHead, noBody] = await Promise.all([raw(port, head(9)), raw(port, `${head(9)}\r\nab`)]);
    for (const answer of [noHead, noBody]) {
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect(answer).toMatch(/"the request did not arrive in time"/);
    }
    expect(intake.entries).toEqual([]);
  });

  it('OTLP 24: connections over HTTP that say nothing at all are closed', async () => {
    running = await startReceiver({ http: { read_header_timeout: '100ms' } });
    expect(await raw(running.port)).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('OTLP 24: idle connections over HTTP are closed after idle_timeout', async () => {
    running = await startReceiver({ http: { idle_timeout: '100ms' } });
    const body = request('traces');
    expect(await raw(running.port, `${head(body.length)}\r\n`, body)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('OTLP 24: idle connections over gRPC are closed after max_connection_idle, and calls come back', async () => {
    const keepalive = { server_parameters: { max_connection_idle: '100ms' } };
    running = await startReceiver({ grpc: { read_timeout: '100ms', keepalive } });
    const client = new GrpcClient(running.grpcPort);
    await client.export('logs', request('logs'));
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';
    expect(await raw(running.grpcPort, preface)).not.toBe('');
    await client.export('logs', request('logs'));
    expect(running.intake.entries).toHaveLength(2);
    client.close();
  });

  it.each(['http', 'grpc'] as const)(
    'OTLP 24: %s takes no more connections than max_connections',
    async (protocol) => {
      running = await startReceiver({ [protocol]: { max_connections: 1 } });
      const port = protocol === 'http' ? running.port : running.grpcPort;
      const first = net.connect(port, '127.0.0.1').on('error', () => {});
      await once(first, 'connect');
      const dropped = net.connect(port, '127.0.0.1').on('error', () => {});
      await once(dropped.resume(), 'close');
      first.destroy();
      await once(first, 'close');
    },
  );
});
