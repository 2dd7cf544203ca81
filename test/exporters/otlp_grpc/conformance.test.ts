// The exporter's lines of OTLP.md over gRPC, against a real gRPC server and a bare HTTP/2 one.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../config/logger.ts';
import { Secret } from '../../../config/secret.ts';
import type { Credentials } from '../../../exporters/credentials.ts';
import type { Exporter, Outcome } from '../../../exporters/exporter.ts';
import { otlpGrpcExporter } from '../../../exporters/otlp_grpc/factory.ts';
import { encodeExportResponse } from '../../../otlp/response.ts';
import { encodeStatus } from '../../../otlp/status.ts';
import { batchOf, gzipped, identity, text } from '../otlp/batches.ts';
import { selfSigned } from '../otlp/self_signed.ts';
import { type Answering, type BareBackend, bareBackend, GrpcBackend } from './backend.ts';

const never = new AbortController().signal;
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function backend(...given: Parameters<typeof GrpcBackend.start>): Promise<GrpcBackend> {
  const started = await GrpcBackend.start(...given);
  ends.push(() => started.stop());
  return started;
}

async function bare(...given: Parameters<typeof bareBackend>): Promise<BareBackend> {
  const started = await bareBackend(...given);
  ends.push(() => started.stop());
  return started;
}

async function exporter(
  config: Record<string, unknown>,
  credentials?: ReadonlyMap<string, Credentials>,
): Promise<Exporter> {
  const made = (await otlpGrpcExporter.load()).create(otlpGrpcExporter.schema.parse(config), {
    id: 'otlp_grpc',
    version: '9.8.7',
    logger: silentLogger,
    ...(credentials && { credentials }),
  });
  await made.start();
  ends.push(() => made.stop());
  return made;
}

const some = batchOf([identity(text(1_000, 'a'))]);

async function outcomeOf(answer: Answering, config: Record<string, unknown> = {}): Promise<Outcome> {
  const server = await backend(answer);
  return (await exporter({ endpoint: server.endpoint, ...config })).send(some, never);
}

const refusing =
  (code: number, details = '', retryDelay_ms?: number): Answering =>
  (_, callback) => {
    const metadata = new grpc.Metadata();
    if (retryDelay_ms !== undefined) {
      const status = encodeStatus({ code, message: details, retryDelay_ms });
      metadata.set('grpc-status-details-bin', Buffer.from(status));
    }
    callback({ code, details, metadata });
  };

describe('OTLP 32: what is tried again over gRPC', () => {
  it.each([
    ['CANCELLED', 1],
    ['DEADLINE_EXCEEDED', 4],
    ['ABORTED', 10],
    ['OUT_OF_RANGE', 11],
    ['UNAVAILABLE', 14],
    ['DATA_LOSS', 15],
  ])('%s is', async (name, code) => {
    expect(await outcomeOf(refusing(code, 'busy'))).toEqual({ kind: 'retry', reason: `${name}: busy` });
  });

  it.each([
    ['UNKNOWN', 2],
    ['INVALID_ARGUMENT', 3],
    ['NOT_FOUND', 5],
    ['PERMISSION_DENIED', 7],
    ['UNIMPLEMENTED', 12],
    ['INTERNAL', 13],
    ['UNAUTHENTICATED', 16],
  ])('%s is final for the request', async (name, code) => {
    expect(await outcomeOf(refusing(code))).toEqual({ kind: 'rejected', reason: name });
  });

  it('RESOURCE_EXHAUSTED is with RetryInfo, and without it is too large', async () => {
    expect(await outcomeOf(refusing(8, 'slow down', 1_500))).toEqual({
      kind: 'retry',
      reason: 'RESOURCE_EXHAUSTED: slow down',
      after_ms: 1_500,
    });
    expect(await outcomeOf(refusing(8, 'message larger than max'))).toEqual({
      kind: 'rejected',
      reason: 'RESOURCE_EXHAUSTED: message larger than max',
      tooLarge: true,
    });
  });

  it.each([
    [400, 'rejected'],
    [401, 'rejected'],
    [403, 'rejected'],
    [404, 'rejected'],
    [429, 'retry'],
    [502, 'retry'],
    [503, 'retry'],
    [504, 'retry'],
    [500, 'rejected'],
  ])('a proxy’s HTTP %i without gRPC is %s', async (code, kind) => {
    const server = await bare((stream) => stream.respond({ ':status': code }, { endStream: true }));
    const made = await exporter({ endpoint: server.endpoint });
    expect(await made.send(some, never)).toEqual({ kind, reason: `HTTP ${code}` });
  });

  it('an answer that ends without a status is, and so is a reset', async () => {
    const silent = await bare((stream) => stream.respond({ ':status': 200 }, { endStream: true }));
    expect(await (await exporter({ endpoint: silent.endpoint })).send(some, never)).toEqual({
      kind: 'retry',
      reason: 'the answer ended without a gRPC status',
    });
    const reset = await bare((stream) => stream.close(2));
    expect(await (await exporter({ endpoint: reset.endpoint })).send(some, never)).toMatchObject({
      kind: 'retry',
    });
  });

  it('connections that fail are: nobody listens, something else than HTTP/2, a name nobody has', async () => {
    const closed = await backend();
    ends.pop();
    await closed.stop();
    expect(await (await exporter({ endpoint: closed.endpoint })).send(some, never)).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
    const garbage = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.end('220 smtp.example ESMTP\r\n');
    });
    garbage.listen(0, '127.0.0.1');
    await once(garbage, 'listening');
    ends.push(async () => void garbage.close());
    const port = (garbage.address() as net.AddressInfo).port;
    for (const endpoint of [`http://127.0.0.1:${port}`, `https://127.0.0.1:${port}`]) {
      expect(await (await exporter({ endpoint })).send(some, never)).toMatchObject({ kind: 'retry' });
    }
    const nowhere = await exporter({ endpoint: 'http://name.invalid:4317' });
    expect(await nowhere.send(some, never)).toMatchObject({ kind: 'retry' });
  });

  it('an abort before and while the request is under way is, at once; the next one takes a new connection', async () => {
    const calls: http2.ServerHttp2Stream[] = [];
    const server = await bare((stream) => {
      calls.push(stream);
      if (calls.length > 1) {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end();
      }
    });
    const made = await exporter({ endpoint: server.endpoint });
    const reason = new Error('no answer within 10 ms');
    expect(await made.send(some, AbortSignal.abort(reason))).toMatchObject({ kind: 'retry' });
    const late = new AbortController();
    const waiting = made.send(some, late.signal);
    while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    late.abort(reason);
    expect(await waiting).toMatchObject({ kind: 'retry', reason: expect.stringContaining('no answer') });
    expect(await made.send(some, never)).toEqual({ kind: 'delivered' });
    expect(server.sessions.size).toBe(2);
  });
});

describe('OTLP 33: RetryInfo over gRPC', () => {
  it('is how long to wait at least', async () => {
    expect(await outcomeOf(refusing(14, '', 2_500))).toMatchObject({ kind: 'retry', after_ms: 2_500 });
  });

  it('is not seen in details that are garbage', async () => {
    const outcome = await outcomeOf((_, callback) => {
      const metadata = new grpc.Metadata();
      metadata.set('grpc-status-details-bin', Buffer.alloc(100, 0xff));
      callback({ code: 14, details: 'x', metadata });
    });
    expect(outcome).toEqual({ kind: 'retry', reason: 'UNAVAILABLE: x' });
  });
});

describe('OTLP 35: partial success over gRPC', () => {
  it('is reported with its count and message, in one line and without our secrets', async () => {
    const response = encodeExportResponse({
      partial: { rejectedItems: 3, message: 'too\nold s3cr3t-value' },
    });
    const answer: Answering = (_, callback) => callback(null, Buffer.from(response));
    expect(await outcomeOf(answer, { headers: { 'x-token': 's3cr3t-value' } })).toEqual({
      kind: 'partial',
      rejectedItems: 3,
      message: 'too old [redacted]',
    });
  });

  it('is not seen in an answer that nobody can read', async () => {
    expect(await outcomeOf((_, callback) => callback(null, Buffer.alloc(50, 0xff)))).toEqual({
      kind: 'delivered',
    });
  });
});

it('OTLP 36: an answer that never ends is not read for ever', async () => {
  const server = await bare((stream) => {
    stream.respond({ ':status': 200 });
    const chunk = Buffer.alloc(2 ** 18);
    const more = (): void => {
      if (stream.destroyed) return;
      if (stream.write(chunk)) setImmediate(more);
      else stream.once('drain', more);
    };
    more();
  });
  const made = await exporter({ endpoint: server.endpoint });
  expect(await made.send(some, never)).toEqual({
    kind: 'retry',
    reason: expect.stringContaining('longer than is read'),
  });
});

describe('OTLP 37: compression over gRPC', () => {
  const ok = (stream: http2.ServerHttp2Stream): void => {
    stream.respond({ ':status': 200, 'grpc-status': '0' }, { endStream: true });
  };

  it('gzip by default: a gRPC library reads what was merged and compressed', async () => {
    const server = await backend();
    const made = await exporter({ endpoint: server.endpoint });
    await made.send(batchOf([identity(text(30_000, 'a')), gzipped(text(20, 'b'))]), never);
    expect(server.received[0]!.message.equals(Buffer.concat([text(30_000, 'a'), text(20, 'b')]))).toBe(true);
  });

  it('an entry that came compressed and leaves alone is sent byte for byte', async () => {
    const server = await bare(ok);
    const made = await exporter({ endpoint: server.endpoint });
    const entry = gzipped(text(100_000, 'a'));
    expect(await made.send(batchOf([entry]), never)).toEqual({ kind: 'delivered' });
    const [body] = server.bodies;
    expect(body![0]).toBe(1);
    expect(body!.readUInt32BE(1)).toBe(entry.payload.length);
    expect(body!.subarray(5).equals(Buffer.from(entry.payload))).toBe(true);
  });

  it('none and zstd', async () => {
    const server = await bare(ok);
    const plain = await exporter({ endpoint: server.endpoint, compression: 'none' });
    await plain.send(batchOf([gzipped(text(40_000, 'a'))]), never);
    expect(server.bodies[0]![0]).toBe(0);
    expect(server.bodies[0]!.subarray(5).equals(text(40_000, 'a'))).toBe(true);
    const zstd = await exporter({ endpoint: server.endpoint, compression: 'zstd' });
    await zstd.send(batchOf([gzipped(text(40_000, 'a'))]), never);
    expect(zlib.zstdDecompressSync(server.bodies[1]!.subarray(5)).equals(text(40_000, 'a'))).toBe(true);
  });

  it('a damaged entry is refused and never sent', async () => {
    const server = await bare(ok);
    const made = await exporter({ endpoint: server.endpoint, compression: 'none' });
    const damaged = { ...gzipped(text(1_000, 'a')), payload: Buffer.from('no gzip') };
    expect(await made.send(batchOf([damaged]), never)).toMatchObject({ kind: 'rejected' });
    expect(server.bodies).toEqual([]);
  });
});

describe('OTLP 38: where it goes over gRPC', () => {
  it('each signal to its service', async () => {
    const server = await backend();
    const made = await exporter({ endpoint: server.endpoint });
    for (const signal of ['traces', 'metrics', 'logs'] as const) {
      expect(await made.send(batchOf(some.entries, signal), never)).toEqual({ kind: 'delivered' });
    }
    expect(server.received.map(({ signal }) => signal)).toEqual(['traces', 'metrics', 'logs']);
  });

  it('host:port with tls.insecure, dns:///, and a unix socket', async () => {
    const server = await backend();
    const folder = mkdtempSync(path.join(tmpdir(), 'hf-grpc-'));
    ends.push(async () => rmSync(folder, { recursive: true }));
    const socket = path.join(folder, 's');
    const local = await backend(undefined, undefined, `unix:${socket}`);
    const tls = { insecure: true };
    for (const endpoint of [
      `127.0.0.1:${server.port}`,
      `dns:///127.0.0.1:${server.port}`,
      `unix:${socket}`,
    ]) {
      expect(await (await exporter({ endpoint, tls })).send(some, never)).toEqual({ kind: 'delivered' });
    }
    expect([server.received.length, local.received.length]).toEqual([2, 1]);
  });

  it.each(['', 'host', ':4317', 'http://h:1/path', 'ftp://h:1', 'h:0'])('%j is refused', (endpoint) => {
    expect(otlpGrpcExporter.schema.safeParse({ endpoint }).success).toBe(false);
  });
});

describe('OTLP 39: headers, TLS and proxies over gRPC', () => {
  it('sends the configured metadata and who it is', async () => {
    const server = await backend();
    const made = await exporter({ endpoint: server.endpoint, headers: { 'X-Scope-OrgID': 'tenant-7' } });
    await made.send(some, never);
    const { metadata } = server.received[0]!;
    expect(metadata.get('x-scope-orgid')).toEqual(['tenant-7']);
    expect(metadata.get('user-agent')).toEqual(['Holdfast/9.8.7']);
    for (const name of ['grpc-timeout', 'TE', 'content-type']) {
      const config = { endpoint: server.endpoint, headers: { [name]: 'x' } };
      expect(otlpGrpcExporter.schema.safeParse(config).success).toBe(false);
    }
  });

  it('shows its credentials as they are now, over headers of that name', async () => {
    const server = await backend();
    let shown = { authorization: new Secret('Bearer token-1') };
    const own: Credentials = { headers: () => shown };
    const config = {
      endpoint: server.endpoint,
      headers: { Authorization: 'nobody' },
      auth: { authenticator: 'basicauth' },
    };
    await expect(exporter(config)).rejects.toMatchObject({ code: 'HF_EXPORT_AUTH' });
    const sender = await exporter(config, new Map([['basicauth', own]]));
    await sender.send(some, never);
    shown = { authorization: new Secret('Bearer token-2') };
    await sender.send(batchOf([identity(text(1_000, 'a'))], 'logs'), never);
    expect(server.received.map(({ metadata }) => metadata.get('authorization'))).toEqual([
      ['Bearer token-1'],
      ['Bearer token-2'],
    ]);
  });

  it('TLS unless told otherwise; checks the certificate, shows its own, and https overrides insecure', async () => {
    const { cert, key } = selfSigned('collector.test');
    const own = selfSigned('client.test');
    const credentials = grpc.ServerCredentials.createSsl(
      Buffer.from(own.cert),
      [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }],
      true,
    );
    const server = await backend(undefined, credentials);
    const shown = { cert_pem: own.cert, key_pem: own.key };
    const outcomeWith = async (tls: Record<string, unknown>, scheme = '') =>
      (await (await exporter({ endpoint: `${scheme}127.0.0.1:${server.port}`, tls })).send(some, never)).kind;
    const trusted = { ca_pem: cert, server_name_override: 'collector.test' };
    expect(await outcomeWith({ ...trusted, ...shown })).toBe('delivered');
    expect(await outcomeWith({ ...trusted, ...shown, insecure: true }, 'https://')).toBe('delivered');
    expect(await outcomeWith({ insecure_skip_verify: true, ...shown })).toBe('delivered');
    expect(await outcomeWith(shown)).toBe('retry');
    expect(await outcomeWith(trusted)).toBe('retry');
  });

  it('goes through the proxy that the environment names, but for NO_PROXY', async () => {
    const server = await backend();
    const asked: string[] = [];
    const proxy = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (head) => {
        asked.push(head.toString());
        const upstream = net.connect(server.port, '127.0.0.1');
        upstream.on('error', () => socket.destroy());
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    ends.push(async () => void proxy.close());
    process.env['HTTP_PROXY'] = `http://u:p@127.0.0.1:${(proxy.address() as net.AddressInfo).port}`;
    try {
      expect(await (await exporter({ endpoint: server.endpoint })).send(some, never)).toEqual({
        kind: 'delivered',
      });
      expect(asked).toHaveLength(1);
      expect(asked[0]).toContain(`CONNECT 127.0.0.1:${server.port} HTTP/1.1`);
      expect(asked[0]!.toLowerCase()).toContain(`proxy-authorization: basic ${btoa('u:p').toLowerCase()}`);
      process.env['NO_PROXY'] = '127.0.0.1';
      expect(await (await exporter({ endpoint: server.endpoint })).send(some, never)).toEqual({
        kind: 'delivered',
      });
      expect(asked).toHaveLength(1);
    } finally {
      delete process.env['HTTP_PROXY'];
      delete process.env['NO_PROXY'];
    }
  });
});

describe('OTLP 40: the connection over gRPC', () => {
  const answering = (stream: http2.ServerHttp2Stream): void => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end();
  };

  it('is kept, and several requests share it', async () => {
    const server = await bare(answering);
    const made = await exporter({ endpoint: server.endpoint });
    await Promise.all(Array.from({ length: 8 }, () => made.send(some, never)));
    for (let i = 0; i < 8; i += 1) expect(await made.send(some, never)).toEqual({ kind: 'delivered' });
    expect(server.sessions.size).toBe(1);
  });

  it('is made anew after the destination has said GOAWAY, or ended it', async () => {
    const server = await bare(answering);
    const made = await exporter({ endpoint: server.endpoint });
    await made.send(some, never);
    const [first] = server.sessions;
    first!.goaway();
    // Until the GOAWAY is there requests may still go over the old one, and are answered.
    while (server.sessions.size === 1) expect(await made.send(some, never)).toEqual({ kind: 'delivered' });
    expect(await made.send(some, never)).toEqual({ kind: 'delivered' });
  });

  it('is given up when a sign of life does not come', async () => {
    // Speaks TCP and no more once the connection stands: what a link looks like that has died in between.
    const deaf = net.createServer((socket) => {
      socket.on('error', () => {});
      // An empty SETTINGS frame, and from then on nothing.
      socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    });
    deaf.listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    ends.push(async () => void deaf.close());
    const made = await exporter({
      endpoint: `http://127.0.0.1:${(deaf.address() as net.AddressInfo).port}`,
      keepalive: { time: '10ms', timeout: '10ms' },
    });
    expect(await made.send(some, never)).toEqual({
      kind: 'retry',
      reason: expect.stringContaining('no sign of life'),
    });
  });
});

describe('OTLP 42: after a lost answer over gRPC', () => {
  it('the batch can be sent again', async () => {
    let calls = 0;
    const server = await bare((stream) => {
      calls += 1;
      if (calls === 1) stream.session?.destroy();
      else stream.respond({ ':status': 200, 'grpc-status': '0' }, { endStream: true });
    });
    const made = await exporter({ endpoint: server.endpoint });
    expect(await made.send(some, never)).toMatchObject({ kind: 'retry' });
    expect(await made.send(some, never)).toEqual({ kind: 'delivered' });
    expect(server.bodies).toHaveLength(2);
  });
});

it('an outage of the first destination sends batches to the next, in the order of the configuration', async () => {
  const down = await backend(refusing(14, 'maintenance'));
  const up = await backend();
  const made = await exporter({ endpoint: down.endpoint, failover_endpoints: [up.endpoint] });
  for (let i = 0; i < 3; i += 1) expect(await made.send(some, never)).toEqual({ kind: 'delivered' });
  // It rests after its failure, and is not asked for every batch.
  expect([down.received.length, up.received.length]).toEqual([1, 3]);
});
