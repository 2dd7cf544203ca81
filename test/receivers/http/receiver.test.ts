import { createHmac } from 'node:crypto';
import zlib from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Authenticator } from '../../../receivers/authenticator.ts';
import { IntakeFull } from '../../../receivers/receiver.ts';
import { raw, send, statusOf } from '../otlp/harness.ts';
import { type Running, recordsOf, startReceiver } from './harness.ts';

let running: Running;
afterEach(() => running?.stop());

async function start(route: object = {}, config: object = {}): Promise<void> {
  running = await startReceiver({ ...config, routes: [route] });
}

const text = (stringValue: string) => ({ stringValue });
const map = (entries: Record<string, object>) => ({
  kvlistValue: { values: Object.entries(entries).map(([key, value]) => ({ key, value })) },
});

describe('bodies', () => {
  it.each([
    ['{"a":1}', [map({ a: { intValue: '1' } })]],
    ['[{"a":1}, "b", 2.5]', [map({ a: { intValue: '1' } }), text('b'), { doubleValue: 2.5 }]],
    ['{"a":true}\n{"a":null}', [map({ a: { boolValue: true } }), map({ a: {} })]],
    [' [ ] ', []],
  ])('JSON %s', async (body, bodies) => {
    await start();
    expect((await running.post(body)).status).toBe(200);
    expect(recordsOf(running.intake).map((record) => record['body'])).toEqual(bodies);
  });

  it('lines of JSON, empty ones and carriage returns passed over', async () => {
    await start();
    const headers = { 'Content-Type': 'application/x-ndjson; charset=utf-8' };
    const answer = await running.post('{"a":1}\r\n\n  \n[2]\n"x"', { headers });
    expect([answer.status, answer.body.toString()]).toEqual([200, '{}']);
    expect(recordsOf(running.intake).map((record) => record['body'])).toEqual([
      map({ a: { intValue: '1' } }),
      { arrayValue: { values: [{ intValue: '2' }] } },
      text('x'),
    ]);
    expect(running.intake.entries).toHaveLength(1);
  });

  it('lines of text, and the whole as it is', async () => {
    running = await startReceiver({ routes: [{ path: '/' }, { path: '/raw', format: 'raw' }] });
    await running.post('one\ntwo é\n', { headers: { 'Content-Type': 'text/plain' } });
    await running.post('one\ntwo\n', { path: '/raw?x=1' });
    await running.post(Buffer.from([0xff, 0]), { path: '/raw' });
    expect(recordsOf(running.intake).map((record) => record['body'])).toEqual([
      text('one'),
      text('two é'),
      text('one\ntwo\n'),
      { bytesValue: '/wA=' },
    ]);
  });

  it.each([
    ['gzip', zlib.gzipSync],
    ['deflate', zlib.deflateSync],
    ['zstd', zlib.zstdCompressSync],
  ] as const)('compressed with %s', async (encoding, compress) => {
    await start();
    const answer = await running.post(compress('{"a":"b"}'), { headers: { 'Content-Encoding': encoding } });
    expect(answer.status).toBe(200);
    expect(recordsOf(running.intake)).toEqual([{ body: map({ a: text('b') }) }]);
  });

  it('without a record are a success with nothing to store, but no JSON is no value', async () => {
    await start();
    const plain = { 'Content-Type': 'text/plain' };
    expect((await running.post('', { headers: plain })).status).toBe(200);
    expect((await running.post('\n\r\n', { headers: plain })).status).toBe(200);
    expect((await running.post('')).status).toBe(400);
    expect(running.intake.entries).toEqual([]);
  });
});

describe('what is picked', () => {
  const picks = {
    body: 'message',
    timestamp: { path: 'time' },
    severity: { path: 'level', numbers: 'pino' },
    trace_id: 'trace.id',
    span_id: ['span.id'],
    trace_flags: 'flags',
    resource_attributes: { 'service.name': 'service', 'host.name': 'host.name' },
  };

  it('becomes what it is, and the rest attributes', async () => {
    await start(picks);
    const record = {
      time: '2026-11-21T07:44:50.5Z',
      level: 50,
      message: 'hello',
      trace: { id: 'ab'.repeat(16), sampled: true },
      'span.id': 'cd'.repeat(8),
      flags: '01',
      service: 'shop',
      host: { name: 'edge', ip: '::1' },
      n: 5,
    };
    expect((await running.post(JSON.stringify(record))).status).toBe(200);
    expect(recordsOf(running.intake)).toEqual([
      {
        timeUnixNano: '1795247090500000000',
        severityNumber: 17,
        severityText: '50',
        body: text('hello'),
        traceId: 'ab'.repeat(16),
        spanId: 'cd'.repeat(8),
        flags: 1,
        resource: [
          { key: 'service.name', value: text('shop') },
          { key: 'host.name', value: text('edge') },
        ],
        attributes: [
          { key: 'trace', value: map({ id: text('ab'.repeat(16)), sampled: { boolValue: true } }) },
          { key: 'host', value: map({ name: text('edge'), ip: text('::1') }) },
          { key: 'n', value: { intValue: '5' } },
        ],
      },
    ]);
  });

  it('stays in the body where the body is the whole record', async () => {
    await start({ timestamp: { path: 'ts' }, severity: { path: 'log.level' } });
    await running.post('{"ts":1795247090123,"log":{"level":"warn"}}');
    expect(recordsOf(running.intake)).toEqual([
      {
        timeUnixNano: '1795247090123000000',
        severityNumber: 13,
        severityText: 'warn',
        body: map({ ts: { intValue: '1795247090123' }, log: map({ level: text('warn') }) }),
      },
    ]);
  });

  it('is an attribute where it does not fit, and so is a key that comes again', async () => {
    await start(picks);
    await running.post(
      `{"time":"soon","trace":5,"span.id":"${'0'.repeat(16)}","flags":256,"level":{"x":1},"message":"a","message":"b","\\u0066lags":null}`,
    );
    const [record] = recordsOf(running.intake);
    expect(record).toEqual({
      body: text('b'),
      attributes: [
        { key: 'trace', value: { intValue: '5' } },
        { key: 'message', value: text('a') },
        { key: 'flags', value: { intValue: '256' } },
        { key: 'time', value: text('soon') },
        { key: 'level', value: map({ x: { intValue: '1' } }) },
        { key: 'span.id', value: text('0'.repeat(16)) },
        { key: 'flags', value: {} },
      ],
    });
  });

  it('keeps records of different resources apart, in one entry', async () => {
    await start({ resource_attributes: { 'service.name': 'service' } });
    const services = ['a', 'a', undefined, 'b'];
    await running.post(JSON.stringify(services.map((service) => ({ service }))));
    expect(running.intake.entries).toHaveLength(1);
    expect(recordsOf(running.intake).map(({ resource }) => resource ?? null)).toEqual(
      services.map((service) =>
        service === undefined ? null : [{ key: 'service.name', value: text(service) }],
      ),
    );
  });

  it('is also in headers and the query', async () => {
    await start({ headers: ['X-Request-Id'], query: ['tenant'] });
    await running.post('[1,2]', { path: '/?tenant=a%20b&x=y', headers: { 'x-request-id': '7' } });
    const attributes = [
      { key: 'http.request.header.x-request-id', value: { arrayValue: { values: [text('7')] } } },
      { key: 'url.query.tenant', value: text('a b') },
    ];
    expect(recordsOf(running.intake)).toEqual([
      { body: { intValue: '1' }, attributes },
      { body: { intValue: '2' }, attributes },
    ]);
  });
});

describe('what cannot be read', () => {
  const ndjson = { headers: { 'Content-Type': 'application/x-ndjson' } };

  it.each([
    ['a line', ndjson, '{"a":1}\n\n{"a":[1,tru]}\n{}', '/: line 3: a[1]: no JSON value at byte 8', 3],
    [
      'two values on a line',
      ndjson,
      '{} {}\n',
      '/: line 1: expected the end of the line, found an object at byte 3',
      1,
    ],
    [
      'a value in a list',
      {},
      '[{"a":1},{"b":}]',
      '/: record 2: b: expected a value, found the end of an object at byte 14',
      2,
    ],
    [
      'a list without an end',
      {},
      '[1',
      '/: record 2: expected a comma or the end of the array, found the end of the body at byte 2',
      2,
    ],
  ])('is refused with its place, and counted: %s', async (_what, sent, body, message, items) => {
    await start();
    const answer = await running.post(body, sent);
    expect([answer.status, statusOf(answer).message]).toEqual([400, message]);
    expect(running.intake.entries).toEqual([]);
    expect(running.intake.refusals).toEqual([{ signal: 'logs', transport: 'http', items }]);
  });

  it('leaves nothing behind for the next body', async () => {
    await start({ resource_attributes: { s: 's' } });
    expect((await running.post('[{"s":1},{"s":2},x]')).status).toBe(400);
    expect((await running.post('{"a":1}')).status).toBe(200);
    expect(recordsOf(running.intake)).toEqual([{ body: map({ a: { intValue: '1' } }) }]);
  });

  it('is kept as it came and marked, where that is wanted, line by line', async () => {
    await start({ malformed: 'keep', body: 'm' });
    const lines = [Buffer.from('{"m":"a"}\n{"m":\n'), Buffer.from([0xff, 0x0a]), Buffer.from('{"m":"b"}')];
    expect((await running.post(Buffer.concat(lines), ndjson)).status).toBe(200);
    const mark = (message: string) => [{ key: 'http.parse_error', value: text(message) }];
    expect(recordsOf(running.intake)).toEqual([
      { body: text('a') },
      { body: text('{"m":'), attributes: mark('m: expected a value, found the end of the body at byte 5') },
      { body: { bytesValue: '/w==' }, attributes: mark('not UTF-8') },
      { body: text('b') },
    ]);
    expect(running.intake.refusals).toEqual([]);
  });

  it('takes nothing with it that came before, also where resources are picked', async () => {
    await start({ malformed: 'keep', resource_attributes: { s: 's' } });
    const deep = `{"s":${'['.repeat(60)}${']'.repeat(60)}}`;
    await running.post(`{"s":"a"}\n{\n${deep}\n{"s":"a"}\n`, ndjson);
    const found = recordsOf(running.intake);
    expect(found.map(({ resource }) => resource ?? null)).toEqual([
      [{ key: 's', value: text('a') }],
      null,
      null,
      [{ key: 's', value: text('a') }],
    ]);
    expect(found.map(({ body }) => (body as { stringValue?: string }).stringValue)).toEqual([
      undefined,
      '{',
      deep,
      undefined,
    ]);
  });

  it('keeps a broken JSON body together', async () => {
    await start({ malformed: 'keep' });
    expect((await running.post('[{"a":1},{"b"]')).status).toBe(200);
    const [record, ...more] = recordsOf(running.intake);
    expect(more).toEqual([]);
    expect(record!['body']).toEqual(text('[{"a":1},{"b"]'));
  });
});

describe('who may send', () => {
  const guard: Authenticator = {
    header: 'authorization',
    challenge: 'Bearer',
    admits: (shown) => shown === 'Bearer t',
  };
  const authenticators = new Map([['bearer', guard]]);
  const auth = { authenticator: 'bearer' };

  it('is asked for at every path where the receiver says so, also where there is none', async () => {
    running = await startReceiver({ auth }, authenticators);
    for (const path of ['/', '/nowhere']) {
      const answer = await running.post('{}', { path });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    }
    expect((await running.post('{}', { headers: { Authorization: 'Bearer t' } })).status).toBe(200);
  });

  it('is asked for by route', async () => {
    running = await startReceiver({ routes: [{ path: '/open' }, { path: '/closed', auth }] }, authenticators);
    expect((await running.post('{}', { path: '/open' })).status).toBe(200);
    expect((await running.post('{}', { path: '/closed' })).status).toBe(401);
  });

  it('never opens without a guard that it names', async () => {
    await expect(startReceiver({ routes: [{ auth }] })).rejects.toMatchObject({ code: 'HF_RECEIVER_AUTH' });
  });

  it('is known by the signature of the body as it arrives', async () => {
    await start({ signature: { header: 'X-Hub-Signature-256', secret: 'key', prefix: 'sha256=' } });
    const body = zlib.gzipSync('{"a":1}');
    const signed = (bytes: Buffer) => `sha256=${createHmac('sha256', 'key').update(bytes).digest('hex')}`;
    const post = (signature?: string) =>
      running.post(body, {
        headers: { 'Content-Encoding': 'gzip', ...(signature && { 'X-Hub-Signature-256': signature }) },
      });
    expect((await post(signed(body))).status).toBe(200);
    expect((await post(signed(Buffer.from('{"a":1}')))).status).toBe(401);
    expect((await post()).status).toBe(401);
    expect(running.intake.entries).toHaveLength(1);
  });

  it('is not known by a signature that was made long ago', async () => {
    const timestamp = { header: 'X-Time', signed: 'v0:{timestamp}:' };
    await start({ signature: { header: 'X-Signature', secret: 'key', timestamp } });
    const post = (at_s: number) => {
      const signed = createHmac('sha256', 'key').update(`v0:${at_s}:{}`).digest('hex');
      return running.post('{}', { headers: { 'X-Signature': signed, 'X-Time': String(at_s) } });
    };
    const now_s = Math.floor(Date.now() / 1000);
    expect((await post(now_s)).status).toBe(200);
    expect((await post(now_s - 3600)).status).toBe(401);
    expect((await post(now_s + 3600)).status).toBe(401);
    expect(running.intake.entries).toHaveLength(1);
  });

  it('is known by a header with a secret in it', async () => {
    await start({ required_header: { key: 'X-Key', value: 'open sesame' } });
    expect((await running.post('{}')).status).toBe(401);
    expect((await running.post('{}', { headers: { 'X-Key': 'open' } })).status).toBe(401);
    expect((await running.post('{}', { headers: { 'X-Key': 'open sesame' } })).status).toBe(200);
  });
});

describe('answers', () => {
  it('are yes only when the records are durable', async () => {
    await start();
    running.intake.holding = true;
    let settled = false;
    const answer = running.post('{}').then((each) => {
      settled = true;
      return each;
    });
    await running.intake.appended(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    running.intake.settle();
    expect((await answer).status).toBe(200);
  });

  it('say when to come back while the disk is full, and when the commit fails', async () => {
    await start();
    running.intake.admitError = new IntakeFull('full', 7);
    const refused = await running.post('{}');
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '7']);
    running.intake.admitError = undefined;
    running.intake.holding = true;
    const failed = running.post('{}');
    await running.intake.appended(1);
    running.intake.settle(new IntakeFull('full', 3));
    expect([(await failed).status, (await failed).headers['retry-after']]).toEqual([503, '3']);
  });

  it.each([
    ['another path', { path: '/x' }, '{}', 404],
    ['another method', { method: 'PUT' }, '{}', 405],
    ['another encoding', { headers: { 'Content-Encoding': 'br' } }, '{}', 415],
    ['more than the limit', {}, `"${'x'.repeat(2000)}"`, 413],
    [
      'more than the limit when it is read',
      { headers: { 'Content-Encoding': 'gzip' } },
      zlib.gzipSync('x'.repeat(2000)),
      413,
    ],
    ['more than the limit as records', { headers: { 'Content-Type': 'text/plain' } }, 'a\n'.repeat(400), 413],
  ])('to %s', async (_what, sent, body, status) => {
    await start({}, { max_request_body_size: '1KiB' });
    const answer = await running.post(body, sent);
    expect(answer.status).toBe(status);
    expect(statusOf(answer).message).not.toBe('');
    expect(running.intake.entries).toEqual([]);
  });

  it('to the question for its health follow the disk, without credentials', async () => {
    running = await startReceiver({
      health_path: '/up',
      routes: [{ required_header: { key: 'x', value: 'y' } }],
    });
    expect((await send(running.port, { method: 'GET', path: '/up' })).body.toString()).toBe(
      '{"status":"ok"}',
    );
    running.intake.admitError = new IntakeFull('full', 7);
    const sick = await send(running.port, { method: 'GET', path: '/up' });
    expect([sick.status, sick.headers['retry-after']]).toEqual([503, '7']);
  });

  it('to browsers follow cors', async () => {
    running = await startReceiver({ cors: { allowed_origins: ['https://shop.example'] } });
    const answer = await running.post('{}', { headers: { Origin: 'https://shop.example' } });
    expect(answer.headers['access-control-allow-origin']).toBe('https://shop.example');
  });

  it('come to who is too slow as well', async () => {
    running = await startReceiver({ read_header_timeout: '100ms', read_timeout: '200ms' });
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n';
    expect(await raw(running.port, head)).toMatch(/^HTTP\/1\.1 408 /);
    expect(await raw(running.port, `${head}\r\nab`)).toMatch(/^HTTP\/1\.1 408 /);
  });
});
