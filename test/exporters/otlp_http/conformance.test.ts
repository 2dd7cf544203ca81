// The exporter's lines of OTLP.md, each against a real HTTP server.

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import zlib from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../config/logger.ts';
import { Secret } from '../../../config/secret.ts';
import { clientTlsSchema } from '../../../config/tls.ts';
import type { Credentials } from '../../../exporters/credentials.ts';
import type { Exporter, Outcome } from '../../../exporters/exporter.ts';
import { FreshTls } from '../../../exporters/otlp/client_tls.ts';
import { otlpHttpSchema } from '../../../exporters/otlp_http/config.ts';
import { HttpConnections } from '../../../exporters/otlp_http/connection.ts';
import { exchange } from '../../../exporters/otlp_http/exchange.ts';
import { otlpHttpExporter } from '../../../exporters/otlp_http/factory.ts';
import type { Entry } from '../../../otlp/entry.ts';
import { encodeExportResponse } from '../../../otlp/response.ts';
import { encodeStatus } from '../../../otlp/status.ts';
import { batchOf, gzipped, identity, text } from '../otlp/batches.ts';
import { selfSigned } from '../otlp/self_signed.ts';
import { type Answering, Backend } from './backend.ts';

const never = new AbortController().signal;
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function backend(answer?: Answering): Promise<Backend> {
  const started = await Backend.start(answer);
  ends.push(() => started.stop());
  return started;
}

async function exporter(
  config: Record<string, unknown>,
  credentials?: ReadonlyMap<string, Credentials>,
): Promise<Exporter> {
  const made = (await otlpHttpExporter.load()).create(otlpHttpExporter.schema.parse(config), {
    id: 'otlp_http',
    version: '9.8.7',
    logger: silentLogger,
    ...(credentials && { credentials }),
  });
  await made.start();
  ends.push(() => made.stop());
  return made;
}

/** A server that takes everything; its URL. */
async function overTls(options: https.ServerOptions, met = (_: TLSSocket) => {}): Promise<string> {
  const server = https.createServer(options, (request, response) => {
    met(request.socket as TLSSocket);
    request.resume().on('end', () => response.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const some = batchOf([identity(text(1_000, 'a'))]);

/** What one batch comes to when it is answered so. */
async function outcomeOf(answer: Answering, config: Record<string, unknown> = {}): Promise<Outcome> {
  const server = await backend(answer);
  return (await exporter({ endpoint: server.url, ...config })).send(some, never);
}
const status =
  (code: number, headers: Record<string, string> = {}, body: string | Uint8Array = ''): Answering =>
  (_, response) =>
    response.writeHead(code, headers).end(body);

it('a lack of memory is nothing that an entry can help: tried again', async () => {
  const server = await backend();
  const entry: Entry = {
    ...identity(text(1_000, 'a')),
    get payload(): Uint8Array {
      throw new RangeError('Array buffer allocation failed');
    },
  };
  const outcome = await (await exporter({ endpoint: server.url })).send(batchOf([entry]), never);
  expect(outcome).toEqual({ kind: 'retry', reason: 'RangeError: Array buffer allocation failed' });
});

describe('OTLP 31: what is tried again', () => {
  it.each([429, 502, 503, 504])('HTTP %i is', async (code) => {
    expect(await outcomeOf(status(code))).toEqual({ kind: 'retry', reason: `HTTP ${code}` });
  });

  it.each([301, 304, 400, 401, 403, 404, 405, 408, 413, 415, 422, 431, 500, 501, 505, 507])(
    'HTTP %i is final for the request',
    async (code) => {
      const outcome = await outcomeOf(status(code));
      expect(outcome).toMatchObject({ kind: 'rejected', reason: expect.stringContaining(`HTTP ${code}`) });
      expect(outcome.kind === 'rejected' && outcome.tooLarge === true).toBe(code === 413);
    },
  );

  it('a redirect is not followed', async () => {
    const elsewhere = await backend();
    const outcome = await outcomeOf(status(307, { location: elsewhere.url }));
    expect(outcome).toMatchObject({ kind: 'rejected', reason: expect.stringContaining('redirect') });
    expect(elsewhere.received).toEqual([]);
  });

  it('connections that fail are: nobody listens, reset before and within the answer, garbage, a name nobody has', async () => {
    const closed = await backend();
    const { url } = closed;
    ends.pop();
    await closed.stop();
    expect(await (await exporter({ endpoint: url })).send(some, never)).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await outcomeOf((_, response) => response.socket?.destroy())).toMatchObject({ kind: 'retry' });
    const cut = await outcomeOf((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      setImmediate(() => response.socket?.destroy());
    });
    expect(cut).toMatchObject({ kind: 'retry' });
    const garbage = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.end('220 smtp.example ESMTP\r\n');
    });
    garbage.listen(0, '127.0.0.1');
    await once(garbage, 'listening');
    ends.push(async () => void garbage.close());
    const endpoint = `http://127.0.0.1:${(garbage.address() as AddressInfo).port}`;
    expect(await (await exporter({ endpoint })).send(some, never)).toMatchObject({ kind: 'retry' });
    const nowhere = await exporter({ endpoint: 'http://name.invalid:4318' });
    expect(await nowhere.send(some, never)).toMatchObject({ kind: 'retry' });
  });

  it('an abort before, while and after the request is sent is, at once', async () => {
    const server = await backend(() => {});
    const made = await exporter({ endpoint: server.url });
    const reason = new Error('no answer within 10 ms');
    expect(await made.send(some, AbortSignal.abort(reason))).toMatchObject({ kind: 'retry' });
    const early = new AbortController();
    const connecting = made.send(some, early.signal);
    early.abort(reason);
    expect(await connecting).toMatchObject({ kind: 'retry', reason: expect.stringContaining('no answer') });
    const late = new AbortController();
    const waiting = made.send(some, late.signal);
    while (server.received.length === 0) await new Promise((resolve) => setImmediate(resolve));
    late.abort(reason);
    expect(await waiting).toMatchObject({ kind: 'retry', reason: expect.stringContaining('no answer') });
    expect(server.received).toHaveLength(1);
  });

  it('what a backend says of its refusal is repeated: short, in one line, without our secrets', async () => {
    const body = encodeStatus({ code: 3, message: `bad\u0000 token s3cr3t-value\r\n${'x'.repeat(5_000)}` });
    const outcome = await outcomeOf(status(400, { 'content-type': 'application/x-protobuf' }, body), {
      headers: { 'x-token': 's3cr3t-value' },
    });
    expect(outcome.kind).toBe('rejected');
    const reason = outcome.kind === 'rejected' ? outcome.reason : '';
    expect(reason).toMatch(/^HTTP 400: bad token \[redacted\] x+…$/);
    expect(reason.length).toBeLessThan(300);
    const json = status(422, { 'content-type': 'application/json' }, '{"code":3,"message":"no such field"}');
    expect(await outcomeOf(json)).toMatchObject({ reason: 'HTTP 422: no such field' });
    const plain = status(403, { 'content-type': 'text/plain; charset=utf-8' }, 'forbidden\n');
    expect(await outcomeOf(plain)).toMatchObject({ reason: 'HTTP 403: forbidden' });
    const page = status(404, { 'content-type': 'text/html' }, '<html>');
    expect(await outcomeOf(page)).toMatchObject({ reason: 'HTTP 404' });
  });
});

describe('OTLP 33: Retry-After', () => {
  it('as seconds', async () => {
    expect(await outcomeOf(status(503, { 'retry-after': '17' }))).toMatchObject({ after_ms: 17_000 });
  });

  it('as a date', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    const outcome = await outcomeOf(status(429, { 'retry-after': date }));
    const after_ms = outcome.kind === 'retry' ? outcome.after_ms : undefined;
    expect(after_ms).toBeGreaterThan(3_500_000);
    expect(after_ms).toBeLessThanOrEqual(3_600_000);
  });

  it('as RetryInfo within the Status, when there is no header', async () => {
    const body = encodeStatus({ code: 14, message: 'busy', retryDelay_ms: 2_500 });
    const outcome = await outcomeOf(status(503, { 'content-type': 'application/x-protobuf' }, body));
    expect(outcome).toEqual({ kind: 'retry', reason: 'HTTP 503: busy', after_ms: 2_500 });
  });

  it('is not heeded with a status that is not tried again', async () => {
    expect(await outcomeOf(status(500, { 'retry-after': '17' }))).toEqual({
      kind: 'rejected',
      reason: 'HTTP 500',
    });
  });
});

describe('OTLP 35: partial success', () => {
  const partial = (rejectedItems: number, message: string): Answering =>
    status(
      200,
      { 'content-type': 'application/x-protobuf' },
      encodeExportResponse({ partial: { rejectedItems, message } }),
    );

  it('is reported with its count and message', async () => {
    expect(await outcomeOf(partial(3, 'too old'))).toEqual({
      kind: 'partial',
      rejectedItems: 3,
      message: 'too old',
    });
  });

  it('that only warns is reported with a count of 0', async () => {
    expect(await outcomeOf(partial(0, 'deprecated'))).toMatchObject({ kind: 'partial', rejectedItems: 0 });
  });

  it.each([
    ['nothing', status(200, { 'content-type': 'application/x-protobuf' })],
    ['an empty partial success', partial(0, '')],
    ['garbage', status(200, { 'content-type': 'application/x-protobuf' }, Buffer.alloc(500, 0xff))],
    ['another content type', status(202, { 'content-type': 'text/html' }, '<html>ok</html>')],
    ['no content', status(204)],
  ])('is not seen in %s', async (_name, answer) => {
    expect(await outcomeOf(answer)).toEqual({ kind: 'delivered' });
  });
});

describe('OTLP 36: an answer is read up to 4 MiB', () => {
  const giant =
    (code: number): Answering =>
    (_, response) => {
      response.on('error', () => {});
      response.writeHead(code, { 'content-type': 'application/x-protobuf' });
      const chunk = Buffer.alloc(2 ** 18, 0xff);
      const more = (): void => {
        if (response.destroyed) return;
        if (response.write(chunk)) setImmediate(more);
        else response.once('drain', more);
      };
      more();
    };

  it.each([
    [200, 'delivered'],
    [400, 'rejected'],
    [503, 'retry'],
  ])('and one that never ends is taken by its status %i: %s', async (code, kind) => {
    expect((await outcomeOf(giant(code))).kind).toBe(kind);
  });

  it('and one that announces more is not read at all', async () => {
    const server = await backend((_, response) => {
      response.on('error', () => {});
      response.writeHead(200, { 'content-length': String(2 ** 40) }).write('x');
    });
    const made = await exporter({ endpoint: server.url });
    expect(await made.send(some, never)).toEqual({ kind: 'delivered' });
    expect(await made.send(some, never)).toEqual({ kind: 'delivered' });
  });
});

describe('OTLP 37: compression', () => {
  const last = (server: Backend) => server.received.at(-1)!;

  it('gzip by default: raw entries are merged and compressed into one member', async () => {
    const server = await backend();
    const made = await exporter({ endpoint: server.url });
    await made.send(batchOf([identity(text(30_000, 'a')), identity(text(20, 'b'))]), never);
    expect(last(server).headers['content-encoding']).toBe('gzip');
    expect(zlib.gunzipSync(last(server).body).equals(Buffer.concat([text(30_000, 'a'), text(20, 'b')]))).toBe(
      true,
    );
    expect(membersOf(last(server).body)).toBe(1);
  });

  it('an entry that came compressed and leaves alone is sent byte for byte', async () => {
    const server = await backend();
    const made = await exporter({ endpoint: server.url });
    const entry = gzipped(text(100_000, 'a'));
    await made.send(batchOf([entry]), never);
    expect(last(server).body.equals(Buffer.from(entry.payload))).toBe(true);
    expect(last(server).headers['content-encoding']).toBe('gzip');
  });

  it('several compressed entries become one member, never several', async () => {
    const server = await backend();
    const made = await exporter({ endpoint: server.url });
    await made.send(
      batchOf([gzipped(text(40_000, 'a')), identity(text(5, 'b')), gzipped(text(70, 'c'))]),
      never,
    );
    const whole = Buffer.concat([text(40_000, 'a'), text(5, 'b'), text(70, 'c')]);
    expect(zlib.gunzipSync(last(server).body).equals(whole)).toBe(true);
    expect(membersOf(last(server).body)).toBe(1);
  });

  it('none: what came compressed is decompressed, and nothing says gzip', async () => {
    const server = await backend();
    const made = await exporter({ endpoint: server.url, compression: 'none' });
    await made.send(batchOf([gzipped(text(40_000, 'a'))]), never);
    expect(last(server).headers['content-encoding']).toBeUndefined();
    expect(last(server).body.equals(text(40_000, 'a'))).toBe(true);
  });

  it('zstd: merged and compressed into one frame, whatever it was before', async () => {
    const server = await backend();
    const made = await exporter({
      endpoint: server.url,
      compression: 'zstd',
      compression_params: { level: 3 },
    });
    await made.send(batchOf([gzipped(text(40_000, 'a')), identity(text(5, 'b'))]), never);
    expect(last(server).headers['content-encoding']).toBe('zstd');
    const whole = Buffer.concat([text(40_000, 'a'), text(5, 'b')]);
    expect(zlib.zstdDecompressSync(last(server).body).equals(whole)).toBe(true);
  });

  it('a level that the codec does not have is a mistake in the configuration', () => {
    const levels = (compression: string, level: number) =>
      otlpHttpExporter.schema.safeParse({
        endpoint: 'http://h:1',
        compression,
        compression_params: { level },
      }).success;
    expect([levels('gzip', 9), levels('gzip', 10), levels('zstd', 22), levels('zstd', 23)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('json: the merged message in OTLP/JSON, and the answer is read as JSON too', async () => {
    const server = await backend((_, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}'),
    );
    const made = await exporter({ endpoint: server.url, encoding: 'json' });
    // Two requests of one empty ResourceSpans each: merged, they are one with two.
    const one = identity(Buffer.from([0x0a, 0x00]));
    expect(await made.send(batchOf([one, one]), never)).toEqual({
      kind: 'partial',
      rejectedItems: 2,
      message: 'too old',
    });
    expect(last(server).headers['content-type']).toBe('application/json');
    const body = JSON.parse(zlib.gunzipSync(last(server).body).toString());
    expect(body).toEqual({ resourceSpans: [{}, {}] });
  });

  it('json: what is no OTLP is refused, not tried again', async () => {
    const server = await backend();
    const made = await exporter({ endpoint: server.url, encoding: 'json', compression: 'none' });
    expect(await made.send(batchOf([identity(Buffer.from([0xff]))]), never)).toMatchObject({
      kind: 'rejected',
    });
    expect(server.received).toEqual([]);
  });

  it('an entry whose compressed bytes are damaged, or expand beyond what they said, is refused and never sent', async () => {
    const server = await backend();
    const made = await exporter({ endpoint: server.url, compression: 'none' });
    const bomb = { ...gzipped(text(10_000_000, 'a')), rawLength: 1_000 };
    const short = { ...gzipped(text(10, 'a')), rawLength: 1_000 };
    const damaged = { ...gzipped(text(1_000, 'a')), payload: Buffer.from('no gzip') };
    for (const entry of [bomb, short, damaged]) {
      expect(await made.send(batchOf([entry]), never)).toMatchObject({
        kind: 'rejected',
        reason: expect.stringMatching(/^an entry /),
      });
    }
    expect(server.received).toEqual([]);
  });
});

/** RFC 1952: a decoder that stops after the first member leaves the others unread. */
function membersOf(bytes: Buffer): number {
  const first = zlib.createGunzip();
  let members = 0;
  for (let rest = bytes; rest.length > 0; members += 1) {
    const { engine } = zlib.inflateRawSync(rest.subarray(10), { info: true }) as unknown as {
      engine: { bytesWritten: number };
    };
    rest = rest.subarray(10 + engine.bytesWritten + 8);
  }
  first.close();
  return members;
}

describe('OTLP 38: where it goes', () => {
  it('/v1/<signal> behind the endpoint, with its own path and query kept', async () => {
    const server = await backend();
    const made = await exporter({ endpoint: `${server.url}/otlp/?tenant=7` });
    for (const signal of ['traces', 'metrics', 'logs'] as const) {
      await made.send(batchOf(some.entries, signal), never);
    }
    expect(server.received.map((received) => received.url)).toEqual([
      '/otlp/v1/traces?tenant=7',
      '/otlp/v1/metrics?tenant=7',
      '/otlp/v1/logs?tenant=7',
    ]);
  });

  it('a per-signal endpoint as it is, over the common one', async () => {
    const server = await backend();
    const other = await backend();
    const made = await exporter({ endpoint: server.url, logs_endpoint: `${other.url}/insert/opentelemetry` });
    await made.send(batchOf(some.entries, 'logs'), never);
    await made.send(some, never);
    expect(other.received.map((received) => received.url)).toEqual(['/insert/opentelemetry']);
    expect(server.received.map((received) => received.url)).toEqual(['/v1/traces']);
  });

  it('a signal without an endpoint is refused, and no endpoint at all is a mistake in the configuration', async () => {
    const server = await backend();
    const made = await exporter({ traces_endpoint: server.url });
    expect(await made.send(batchOf(some.entries, 'logs'), never)).toMatchObject({ kind: 'rejected' });
    expect(otlpHttpExporter.schema.safeParse({}).success).toBe(false);
  });
});

describe('failover_endpoints', () => {
  it.each([502, 503, 504])(
    'are asked when the first answers %i, not when it is there and says no',
    async (code) => {
      const down = await backend(status(code));
      const up = await backend();
      const made = await exporter({ endpoint: down.url, failover_endpoints: [`${up.url}/otlp`] });
      expect(await made.send(some, never)).toEqual({ kind: 'delivered' });
      expect(up.received.map(({ url }) => url)).toEqual(['/otlp/v1/traces']);
    },
  );

  it.each([
    [429, 'retry'],
    [400, 'rejected'],
  ])('are left alone when the first answers %i', async (code, kind) => {
    const first = await backend(status(code));
    const second = await backend();
    const made = await exporter({ endpoint: first.url, failover_endpoints: [second.url] });
    expect((await made.send(some, never)).kind).toBe(kind);
    expect(second.received).toEqual([]);
  });

  it('are asked when nobody is there, and mean nothing without an endpoint', async () => {
    const gone = await backend();
    const { url } = gone;
    ends.pop();
    await gone.stop();
    const up = await backend();
    const made = await exporter({ endpoint: url, failover_endpoints: [up.url] });
    expect(await made.send(some, never)).toEqual({ kind: 'delivered' });
    const lost = { traces_endpoint: url, failover_endpoints: [up.url] };
    expect(otlpHttpExporter.schema.safeParse(lost).success).toBe(false);
  });
});

describe('OTLP 39: headers, TLS and proxies', () => {
  it('sends the configured headers, the content type and who it is', async () => {
    const server = await backend();
    const made = await exporter({
      endpoint: server.url,
      headers: { 'X-Scope-OrgID': 'tenant-7', empty: '' },
    });
    await made.send(some, never);
    expect(server.received[0]!.headers).toMatchObject({
      'x-scope-orgid': 'tenant-7',
      empty: '',
      'content-type': 'application/x-protobuf',
      'user-agent': 'Holdfast/9.8.7',
    });
  });

  it('lets a configured User-Agent win, and refuses headers that are not the user’s to set', async () => {
    const server = await backend();
    const made = await exporter({ endpoint: server.url, headers: { 'user-agent': 'mine/1' } });
    await made.send(some, never);
    expect(server.received[0]!.headers['user-agent']).toBe('mine/1');
    for (const name of ['Content-Encoding', 'transfer-encoding']) {
      const config = { endpoint: server.url, headers: { [name]: 'x' } };
      expect(otlpHttpExporter.schema.safeParse(config).success).toBe(false);
    }
  });

  it('checks the certificate: by the given CA, by another name, not at all, and refuses what it does not know', async () => {
    const { cert, key } = selfSigned('collector.test');
    // `insecure` means plain HTTP, and an https URL overrules it.
    const endpoint = await overTls({ cert, key });
    const outcomeWith = async (tls: Record<string, unknown>) =>
      (await (await exporter({ endpoint, tls })).send(some, never)).kind;
    expect(await outcomeWith({ ca_pem: cert, server_name_override: 'collector.test' })).toBe('delivered');
    expect(await outcomeWith({ insecure_skip_verify: true, insecure: true })).toBe('delivered');
    expect(await outcomeWith({ ca_pem: cert })).toBe('retry');
    expect(await outcomeWith({ insecure: true })).toBe('retry');
  });

  it('shows its own certificate where the destination asks for one', async () => {
    const own = selfSigned('client.test');
    const { cert, key } = selfSigned('collector.test');
    let shown: string | undefined;
    const options = { cert, key, ca: own.cert, requestCert: true, rejectUnauthorized: true };
    const endpoint = await overTls(options, (socket) => {
      shown = String(socket.getPeerCertificate().subject.CN);
    });
    const tls = { insecure_skip_verify: true, cert_pem: own.cert, key_pem: own.key };
    expect(await (await exporter({ endpoint, tls })).send(some, never)).toEqual({ kind: 'delivered' });
    expect(shown).toBe('client.test');
  });

  it('shows its credentials as they are now, over headers of that name, and keeps them out of what it repeats', async () => {
    const server = await backend(
      status(400, { 'content-type': 'text/plain' }, 'I do not know Bearer token-2'),
    );
    let shown = { authorization: new Secret('Bearer token-1') };
    const own: Credentials = { headers: () => shown };
    const config = {
      endpoint: server.url,
      headers: { Authorization: 'nobody', 'x-more': 'yes' },
      auth: { authenticator: 'bearertokenauth/cloud' },
    };
    const sender = await exporter(config, new Map([['bearertokenauth/cloud', own]]));
    await sender.send(some, never);
    // Whoever makes credentials gives a new object when they change.
    shown = { authorization: new Secret('Bearer token-2') };
    const outcome = await sender.send(some, never);
    expect(server.received.map(({ headers }) => [headers['authorization'], headers['x-more']])).toEqual([
      ['Bearer token-1', 'yes'],
      ['Bearer token-2', 'yes'],
    ]);
    expect(outcome).toEqual({ kind: 'rejected', reason: 'HTTP 400: I do not know [redacted]' });
  });

  it('never sends without the credentials that it names', async () => {
    const server = await backend();
    const config = { endpoint: server.url, auth: { authenticator: 'bearertokenauth' } };
    await expect(exporter(config)).rejects.toMatchObject({ code: 'HF_EXPORT_AUTH' });
  });

  it('shows a certificate that was renewed on new connections', async () => {
    const { cert, key } = selfSigned('collector.test');
    const shown: string[] = [];
    const options = { cert, key, requestCert: true, rejectUnauthorized: false };
    const server = https.createServer(options, (request, response) => {
      const peer = (request.socket as import('node:tls').TLSSocket).getPeerCertificate();
      shown.push(String(peer.subject.CN));
      request.resume().on('end', () => response.end());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-client-'));
    ends.push(async () => {
      server.closeAllConnections();
      server.close();
      rmSync(directory, { recursive: true });
    });
    const files = { cert_file: path.join(directory, 'cert'), key_file: path.join(directory, 'key') };
    const renew = (host: string): void => {
      const { cert: own, key: ownKey } = selfSigned(host);
      writeFileSync(files.cert_file, own);
      writeFileSync(files.key_file, ownKey);
    };
    renew('first.test');
    const config = clientTlsSchema.parse({ ...files, insecure_skip_verify: true });
    let now_ms = 0;
    const tls = new FreshTls(config, silentLogger, () => now_ms);
    const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const connections = await HttpConnections.open(otlpHttpSchema.parse({ endpoint }), tls, {});
    ends.push(() => connections.destroy());
    const ask = () =>
      exchange(
        connections.dispatcher(),
        { origin: endpoint, path: '/', headers: [], body: Buffer.alloc(1), responseBytesMax: 1 },
        never,
      );
    await ask();
    renew('second.test');
    await ask();
    now_ms += 10_000;
    await ask();
    expect(shown).toEqual(['first.test', 'first.test', 'second.test']);
  });

  it('says which file it cannot read when it starts', async () => {
    const config = { endpoint: 'https://127.0.0.1:1', tls: { ca_file: '/nowhere/ca.pem' } };
    await expect(exporter(config)).rejects.toMatchObject({
      code: 'HF_EXPORT_TLS_FILE',
      message: expect.stringContaining('/nowhere/ca.pem'),
    });
  });

  it('goes through the proxy that the environment names, but for NO_PROXY', async () => {
    const server = await backend();
    let through = 0;
    const proxy = net.createServer((socket) => {
      socket.on('error', () => {});
      through += 1;
      socket.once('data', (head) => {
        const port = Number(/:(\d+)/.exec(head.toString())![1]);
        const upstream = net.connect(port, '127.0.0.1');
        upstream.on('error', () => socket.destroy());
        if (head.toString().startsWith('CONNECT')) socket.write('HTTP/1.1 200 OK\r\n\r\n');
        else upstream.write(head);
        socket.pipe(upstream).pipe(socket);
      });
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    ends.push(async () => void proxy.close());
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      const made = await exporter({ endpoint: server.url });
      expect(await made.send(some, never)).toEqual({ kind: 'delivered' });
      expect(through).toBe(1);
      process.env['NO_PROXY'] = '127.0.0.1';
      expect(await (await exporter({ endpoint: server.url })).send(some, never)).toEqual({
        kind: 'delivered',
      });
      expect(through).toBe(1);
      expect(server.received).toHaveLength(2);
    } finally {
      delete process.env['HTTP_PROXY'];
      delete process.env['NO_PROXY'];
    }
  });
});

describe('OTLP 40: connections', () => {
  it('are kept and used again', async () => {
    const server = await backend();
    const made = await exporter({ endpoint: server.url });
    for (let i = 0; i < 20; i += 1) await made.send(some, never);
    // The pool rests a connection for one turn of the event loop after each answer, so one loop alternates between two.
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  it('are several for several requests at once, and no more than max_conns_per_host', async () => {
    const server = await backend((_, response) => setImmediate(() => response.end()));
    const free = await exporter({ endpoint: server.url });
    await Promise.all(Array.from({ length: 4 }, () => free.send(some, never)));
    expect(server.connections).toBe(4);
    const bounded = await exporter({ endpoint: server.url, max_conns_per_host: 2 });
    await Promise.all(Array.from({ length: 8 }, () => bounded.send(some, never)));
    expect(server.connections).toBe(6);
    expect(server.received).toHaveLength(12);
  });

  it('speak HTTP/2 where TLS offers it', async () => {
    const { cert, key } = selfSigned('localhost');
    const versions: string[] = [];
    const bodies: Buffer[] = [];
    const server = http2.createSecureServer({ cert, key, allowHTTP1: true }, (request, response) => {
      versions.push(request.httpVersion);
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks));
        response.end();
      });
    });
    const sessions = new Set<http2.ServerHttp2Session>();
    server.on('session', (session) => sessions.add(session));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(async () => {
      for (const session of sessions) session.destroy();
      server.close();
    });
    const endpoint = `https://localhost:${(server.address() as AddressInfo).port}`;
    const made = await exporter({ endpoint, compression: 'none', tls: { ca_pem: cert } });
    const large = batchOf([identity(text(300_000, 'z'))]);
    for (let i = 0; i < 5; i += 1) expect(await made.send(large, never)).toEqual({ kind: 'delivered' });
    expect(new Set(versions)).toEqual(new Set(['2.0']));
    expect(bodies.every((body) => body.equals(text(300_000, 'z')))).toBe(true);
  });
});

describe('OTLP 42: after a lost answer', () => {
  it('the batch can be sent again, over a new connection', async () => {
    let first = true;
    const server = await backend((_, response) => {
      if (first) response.socket?.destroy();
      else response.end();
      first = false;
    });
    const made = await exporter({ endpoint: server.url });
    expect(await made.send(some, never)).toMatchObject({ kind: 'retry' });
    expect(await made.send(some, never)).toEqual({ kind: 'delivered' });
    expect(server.received).toHaveLength(2);
  });
});
