// shared/OTLP.md, lines 21 and 23: TLS, client certificates and unix sockets, over both protocols.

import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../config/logger.ts';
import { ConnectionLimit } from '../../../receivers/connection_limit.ts';
import { otlpReceiver } from '../../../receivers/otlp/factory.ts';
import type { Receiver } from '../../../receivers/receiver.ts';
import { selfSigned } from '../../exporters/otlp/self_signed.ts';
import { FakeIntake } from '../../receivers/otlp/fake_intake.ts';
import { PROTOBUF, request, startReceiver } from '../../receivers/otlp/harness.ts';

const server = selfSigned('localhost');
const client = selfSigned('edge.example');
const stranger = selfSigned('stranger.example');

let directory: string;
const cleanUps: (() => unknown)[] = [];
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'holdfast-door-'));
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  rmSync(directory, { recursive: true });
});

const file = (name: string) => path.join(directory, name);
function write(name: string, text: string): string {
  writeFileSync(file(name), text);
  return file(name);
}

const serverTls = () => ({ cert_file: write('cert.pem', server.cert), key_pem: server.key });

async function started(protocols: { http?: object; grpc?: object }, intake = new FakeIntake()) {
  const running = await startReceiver(protocols, intake);
  cleanUps.push(() => running.stop());
  return running;
}

/** The status of an empty request, or the code of the error. */
async function overHttps(port: number, options: https.RequestOptions): Promise<string> {
  const outgoing = https.request({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    method: 'POST',
    path: '/v1/traces',
    headers: { 'Content-Type': PROTOBUF, 'Content-Length': 0 },
    agent: false,
    ca: server.cert,
    ...options,
  });
  outgoing.end();
  try {
    const [response] = (await once(outgoing, 'response')) as [http.IncomingMessage];
    response.resume();
    return String(response.statusCode);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

const identity = (bytes: Buffer): Buffer => bytes;
async function overGrpc(target: string, credentials: grpc.ChannelCredentials): Promise<number> {
  const caller = new grpc.Client(target, credentials, {
    'grpc.ssl_target_name_override': 'localhost',
    'grpc.use_local_subchannel_pool': 1,
  });
  cleanUps.push(() => caller.close());
  return new Promise((resolve) => {
    caller.makeUnaryRequest(
      '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
      identity,
      identity,
      request('logs'),
      (error) => resolve(error?.code ?? 0),
    );
  });
}

const credentials = (own?: { cert: string; key: string }) =>
  grpc.credentials.createSsl(
    Buffer.from(server.cert),
    own ? Buffer.from(own.key) : null,
    own ? Buffer.from(own.cert) : null,
  );

describe('OTLP over TLS', () => {
  it('OTLP 21: both protocols are served, from files and PEM, and plain text is not', async () => {
    const { port, grpcPort, intake } = await started({
      http: { tls: serverTls() },
      grpc: { tls: serverTls() },
    });
    expect(await overHttps(port, {})).toBe('200');
    expect(await overGrpc(`127.0.0.1:${grpcPort}`, credentials())).toBe(0);
    expect(intake.entries).toHaveLength(1);
    const plain = http.request({ port, host: '127.0.0.1' });
    plain.end();
    await expect(once(plain, 'response')).rejects.toThrow();
  });

  it('OTLP 21: below TLS 1.2 nothing is offered, and min_version raises it', async () => {
    const { port } = await started({ http: { tls: serverTls() } });
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await overHttps(port, old)).not.toBe('200');
    expect(await overHttps(port, { maxVersion: 'TLSv1.2' })).toBe('200');
    const strict = await started({ http: { tls: { ...serverTls(), min_version: '1.3' } } });
    expect(await overHttps(strict.port, { maxVersion: 'TLSv1.2' })).not.toBe('200');
    expect(await overHttps(strict.port, {})).toBe('200');
  });

  it('OTLP 21: client_ca_file lets in only clients with a certificate of it', async () => {
    const both = { ...serverTls(), client_ca_file: write('ca.pem', client.cert) };
    const { port, grpcPort, intake } = await started({ http: { tls: both }, grpc: { tls: both } });
    expect(await overHttps(port, client)).toBe('200');
    expect(await overHttps(port, {})).not.toBe('200');
    expect(await overHttps(port, stranger)).not.toBe('200');
    const target = `127.0.0.1:${grpcPort}`;
    expect(await overGrpc(target, credentials(client))).toBe(0);
    expect(await overGrpc(target, credentials())).toBe(grpc.status.UNAVAILABLE);
    expect(await overGrpc(target, credentials(stranger))).toBe(grpc.status.UNAVAILABLE);
    expect(intake.entries).toHaveLength(1);
  });

  it('OTLP 21: a certificate that changes is served to new connections, and those that are open stay', async () => {
    const { cert_file } = serverTls();
    const key_file = write('key.pem', server.key);
    const { port } = await started({ http: { tls: { cert_file, key_file, reload_interval: '1s' } } });
    const before = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: 'TLSv1.2' });
    before.on('error', () => {});
    await once(before, 'secureConnect');
    const renewed = selfSigned('renewed.example');
    write('key.pem', renewed.key);
    write('cert.pem', renewed.cert);
    for (;;) {
      const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const name = socket.getPeerCertificate().subject.CN;
      socket.destroy();
      if (name === 'renewed.example') break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(before.destroyed).toBe(false);
    before.destroy();
  });
});

const connections = new ConnectionLimit(Number.POSITIVE_INFINITY);

describe('OTLP over unix sockets', () => {
  async function listening(protocols: object): Promise<Receiver> {
    const config = otlpReceiver.schema.parse({ protocols });
    const receiver = (await otlpReceiver.load()).create(config, {
      id: 'otlp',
      logger: silentLogger,
      connections,
    });
    cleanUps.push(() => receiver.stop(AbortSignal.abort()));
    await receiver.start(new FakeIntake());
    return receiver;
  }

  async function overSocket(socketPath: string): Promise<number | undefined> {
    const headers = { 'Content-Type': PROTOBUF, 'Content-Length': 0 };
    const outgoing = http.request({ socketPath, method: 'POST', path: '/v1/logs', headers, agent: false });
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [http.IncomingMessage];
    response.resume();
    return response.statusCode;
  }

  it('OTLP 23: both protocols are served, to the owner alone unless socket_mode says otherwise', async () => {
    const [one, two] = [file('http.sock'), file('grpc.sock')];
    // The Collector's way of writing it, and ours.
    await listening({
      http: { endpoint: one, transport: 'unix' },
      grpc: { endpoint: `unix:${two}`, socket_mode: '0666' },
    });
    expect(statSync(one).mode & 0o777).toBe(0o600);
    expect(statSync(two).mode & 0o777).toBe(0o666);
    expect(await overSocket(one)).toBe(200);
    expect(await overGrpc(`unix:${two}`, grpc.credentials.createInsecure())).toBe(0);
  });

  it('OTLP 23: what a killed agent left behind is replaced; on a living one the start fails, and it lives on', async () => {
    const stale = file('otlp.sock');
    const left = net.createServer().listen(stale);
    await once(left, 'listening');
    // A closed listener would take its file along: a rename keeps it, as a crash does.
    const kept = `${stale}.kept`;
    const { linkSync } = await import('node:fs');
    linkSync(stale, kept);
    left.close();
    await once(left, 'close');
    expect(existsSync(kept)).toBe(true);
    await listening({ http: { endpoint: `unix:${kept}` } });
    expect(await overSocket(kept)).toBe(200);
    await expect(listening({ http: { endpoint: `unix:${kept}` } })).rejects.toMatchObject({
      code: 'HF_RECEIVER_BIND',
      message: expect.stringMatching(/EADDRINUSE/),
    });
    expect(await overSocket(kept)).toBe(200);
  });

  it('OTLP 23: a file that is no socket is never removed', async () => {
    const precious = write('precious', 'data');
    chmodSync(precious, 0o600);
    await expect(listening({ http: { endpoint: `unix:${precious}` } })).rejects.toMatchObject({
      code: 'HF_RECEIVER_BIND',
    });
    expect(statSync(precious).size).toBe(4);
  });
});
