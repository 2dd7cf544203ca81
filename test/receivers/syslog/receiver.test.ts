import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Logger, silentLogger } from '../../../config/logger.ts';
import { ConnectionLimit } from '../../../receivers/connection_limit.ts';
import type { Receiver } from '../../../receivers/receiver.ts';
import { syslogReceiver } from '../../../receivers/syslog/factory.ts';
import { SyslogReceiver } from '../../../receivers/syslog/receiver.ts';
import { selfSigned } from '../../exporters/otlp/self_signed.ts';
import { FakeIntake, full } from '../otlp/fake_intake.ts';
import { type PlainRecord, recordsIn, resourcesIn } from './records.ts';

const free = { listen_address: '127.0.0.1:0' };
const running: Receiver[] = [];
const sockets: net.Socket[] = [];
let directory: string | undefined;

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map((receiver) => receiver.stop(AbortSignal.abort())));
  if (directory !== undefined) rmSync(directory, { recursive: true });
  directory = undefined;
});

function temporary(): string {
  directory ??= mkdtempSync(path.join(os.tmpdir(), 'holdfast-syslog-'));
  return directory;
}

interface Running {
  readonly receiver: Receiver;
  readonly intake: FakeIntake;
  readonly address: (protocol: string) => string;
  readonly port: (protocol: string) => number;
}

async function start(
  config: object,
  intake = new FakeIntake(['logs']),
  logger = silentLogger,
): Promise<Running> {
  const parsed = syslogReceiver.schema.parse({ flush_interval: '1ms', ...config });
  const connections = new ConnectionLimit(Number.POSITIVE_INFINITY);
  const context = { id: 'syslog', logger, connections };
  const receiver = new SyslogReceiver(parsed, context, { retry_ms: 1, check_ms: 5 });
  running.push(receiver);
  await receiver.start(intake);
  const address = (protocol: string): string =>
    receiver.endpoints.find((each) => each.protocol === protocol)!.address;
  return { receiver, intake, address, port: (protocol) => Number(address(protocol).split(':').at(-1)) };
}

/** A client that is done for when the test is. */
async function connect(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function sendDatagrams(port: number, ...texts: readonly (string | Buffer)[]): Promise<void> {
  const socket = createSocket('udp4');
  for (const text of texts) {
    await new Promise<void>((resolve, reject) =>
      socket.send(text, port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
    );
  }
  socket.close();
}

const records = (intake: FakeIntake): PlainRecord[] =>
  intake.entries.flatMap(({ bytes }) => recordsIn(bytes));
const messages = (intake: FakeIntake) => records(intake).map(({ attributes }) => attributes['message']);

const itemsOf = (intake: FakeIntake) => intake.entries.reduce((sum, { items }) => sum + items, 0);

/** Resolves once so many records were taken in. */
async function recorded(intake: FakeIntake, count: number): Promise<void> {
  await intake.until(() => itemsOf(intake) >= count);
}

describe('over TCP', () => {
  it('takes messages of any framing from many connections into few entries', async () => {
    const { intake, port, receiver } = await start({ tcp: free, flush_interval: '5s' });
    const streams = [
      '<13>a: one\n<13>a: two\n',
      '12 <13>b: three12 <13>b: fours',
      '<13>c: five\0<13>c: six\0',
    ];
    for (const stream of streams) {
      const socket = await connect(port('tcp'));
      socket.end(stream);
      // The receiver closes once it has read to the end.
      await once(socket.resume(), 'close');
    }
    running.length = 0;
    await receiver.stop(AbortSignal.timeout(10_000));
    expect(messages(intake).toSorted()).toEqual(['five', 'fours', 'one', 'six', 'three', 'two']);
    expect(intake.entries).toHaveLength(1);
    expect(intake.entries[0]).toMatchObject({
      signal: 'logs',
      codec: 'identity',
      items: 6,
      transport: 'tcp',
      shardKey: 0,
    });
  });

  it('keeps the order of a connection through batches that leave by size', async () => {
    const { intake, port } = await start({ tcp: free });
    const socket = await connect(port('tcp'));
    const count = 10_000;
    socket.end(Array.from({ length: count }, (_, index) => `<13>a: ${index}\n`).join(''));
    await recorded(intake, count);
    expect(messages(intake)).toEqual(Array.from({ length: count }, (_, index) => String(index)));
    expect(Math.max(...intake.entries.map(({ items }) => items))).toBeLessThanOrEqual(4096);
  });

  it('puts resource, attributes and the sender on records where that is asked for', async () => {
    const { intake, port } = await start({
      tcp: { ...free, add_attributes: true },
      resource: { 'service.name': 'edge' },
      attributes: { site: 'north' },
    });
    const socket = await connect(port('tcp'));
    const { localPort } = socket;
    socket.end('<13>text\n');
    await intake.appended(1);
    expect(resourcesIn(intake.entries[0]!.bytes)).toEqual([{ 'service.name': 'edge' }]);
    expect(intake.entries[0]!.shardKey).not.toBe(0);
    expect(records(intake)[0]!.attributes).toMatchObject({
      site: 'north',
      'net.transport': 'IP.TCP',
      'net.peer.ip': '127.0.0.1',
      'net.peer.port': String(localPort),
      'net.host.port': String(port('tcp')),
    });
  });

  it('reads no more while too much waits for the disk, and goes on where it stopped', async () => {
    const intake = new FakeIntake(['logs']);
    intake.holding = true;
    const { port } = await start({ tcp: free }, intake);
    const socket = await connect(port('tcp'));
    const text = 'x'.repeat(1000);
    let sent = 0;
    // Until the kernel takes no more, as nobody reads.
    const fill = (): void => {
      for (let takes = true; takes; sent += 1) {
        takes = socket.write(`<13>a: ${String(sent).padStart(6)} ${text}\n`);
      }
    };
    fill();
    socket.on('drain', fill);
    const bytes = () => intake.entries.reduce((sum, entry) => sum + entry.rawLength, 0);
    while (bytes() < 8 * 2 ** 20) await intake.appended(intake.entries.length + 1);
    const before = intake.entries.length;
    const later = await connect(port('tcp'));
    later.write('<13>b: later\n');
    // What has been read by now is all that is held: at most the batch that was being filled comes behind.
    expect(bytes()).toBeLessThan(10 * 2 ** 20);
    intake.settle();
    await intake.appended(before + 1);
    socket.off('drain', fill);
    socket.end('<13>a: the end\n');
    const hasEnd = () => Buffer.from(intake.entries.at(-1)!.bytes).includes('the end');
    while (!hasEnd()) await intake.appended(intake.entries.length + 1);
    const numbers = messages(intake).map((message) => Number.parseInt(String(message), 10));
    const ordered = numbers.filter((number) => !Number.isNaN(number));
    expect(ordered).toEqual(Array.from({ length: sent }, (_, index) => index));
    expect(messages(intake)).toContain('later');
  }, 30_000);

  it('holds what found no room, and offers it again until it is taken', async () => {
    const intake = new FakeIntake(['logs']);
    const reasons: unknown[] = [];
    const logger: Logger = { ...silentLogger, debug: (_, fields) => void reasons.push(fields?.['reason']) };
    intake.admitError = full(0);
    const { port } = await start({ tcp: free }, intake, logger);
    const socket = await connect(port('tcp'));
    socket.write('<13>a: kept\n');
    await intake.until(() => intake.admitted_bytes.length >= 2);
    expect(reasons[0]).toBe('the disk budget is used up');
    intake.admitError = undefined;
    await intake.appended(1);
    expect(messages(intake)).toEqual(['kept']);
    expect(intake.refusals).toEqual([]);
    socket.write('<13>a: next\n');
    await intake.appended(2);
    expect(messages(intake)).toEqual(['kept', 'next']);
  });

  it('offers again what a commit failed for', async () => {
    const intake = new FakeIntake(['logs']);
    intake.holding = true;
    const { port } = await start({ tcp: free }, intake);
    const socket = await connect(port('tcp'));
    socket.write('<13>a: twice\n');
    await intake.appended(1);
    intake.settle(full(0));
    await intake.appended(2);
    expect(messages(intake)).toEqual(['twice', 'twice']);
  });

  it('counts what can never be stored', async () => {
    const intake = new FakeIntake(['logs']);
    const errors: unknown[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (message, fields) => void errors.push([message, fields]),
    };
    intake.appendError = new TypeError('broken');
    const { port, receiver } = await start({ tcp: free }, intake, logger);
    const socket = await connect(port('tcp'));
    socket.end('<13>a: lost\n');
    await once(socket, 'close');
    running.length = 0;
    await receiver.stop(AbortSignal.timeout(10_000));
    expect(errors).toEqual([['messages lost', { transport: 'tcp', messages: 1, reason: 'broken' }]]);
  });

  it('takes what was sent before it stops, and the line that was not ended', async () => {
    const { intake, port, receiver } = await start({
      tcp: { ...free, max_connections: 2 },
      flush_interval: '5s',
    });
    const socket = await connect(port('tcp'));
    socket.write('<13>a: whole\n<13>a: half');
    const other = await connect(port('tcp'));
    other.write('<13>b: whole\n');
    // Both are accepted once a third is turned away: what the kernel alone knows of is refused.
    await once((await connect(port('tcp'))).resume(), 'close');
    running.length = 0;
    await receiver.stop(AbortSignal.timeout(10_000));
    expect(messages(intake).toSorted()).toEqual(['half', 'whole', 'whole']);
    await expect(connect(port('tcp'))).rejects.toThrow(/ECONNREFUSED/);
  });

  it('stops at the deadline where the disk takes nothing, and counts what is lost by that', async () => {
    const intake = new FakeIntake(['logs']);
    intake.admitError = full(60);
    const { port, receiver } = await start({ tcp: free }, intake);
    const socket = await connect(port('tcp'));
    socket.write('<13>a: one\n<13>a: two\n');
    await intake.until(() => intake.admitted_bytes.length > 0);
    running.length = 0;
    const deadline = new AbortController();
    const stopped = receiver.stop(deadline.signal);
    deadline.abort();
    await stopped;
    expect(intake.refusals).toEqual([{ signal: 'logs', transport: 'tcp', items: 2 }]);
  });

  it('closes connections beyond the limit, and those that are silent for too long', async () => {
    const { intake, port } = await start({ tcp: { ...free, max_connections: 1, idle_timeout: '100ms' } });
    const first = await connect(port('tcp'));
    first.write('<13>a: half');
    const second = await connect(port('tcp'));
    second.resume();
    await once(second, 'close');
    first.resume();
    await once(first, 'close');
    await intake.appended(1);
    expect(records(intake)[0]!.attributes).toMatchObject({ message: 'half', 'syslog.truncated': true });
  });

  it('cuts what is longer than the limit', async () => {
    const { intake, port } = await start({ tcp: { ...free, max_log_size: 480 } });
    const socket = await connect(port('tcp'));
    socket.end(`<13>a: ${'x'.repeat(1000)}\n<13>a: next\n`);
    await recorded(intake, 2);
    expect(records(intake).map(({ attributes }) => attributes['syslog.truncated'])).toEqual([
      true,
      undefined,
    ]);
    expect(String(records(intake)[0]!.body)).toHaveLength(480);
  });
});

describe('over TLS', () => {
  it('takes octet-counted messages (RFC 5425)', async () => {
    const { cert, key } = selfSigned('localhost');
    const { intake, port } = await start({ tcp: { ...free, tls: { cert_pem: cert, key_pem: key } } });
    const socket = tls.connect({ port: port('tls'), host: '127.0.0.1', ca: cert, servername: 'localhost' });
    socket.end('27 <34>1 - host app - - - text');
    await intake.appended(1);
    expect(records(intake)[0]!.attributes).toMatchObject({ hostname: 'host', message: 'text' });
    expect(intake.entries[0]!.transport).toBe('tls');
  });

  it('stops at its deadline though a client never ends its handshake', async () => {
    const { cert, key } = selfSigned('localhost');
    const { receiver, port } = await start({ tcp: { ...free, tls: { cert_pem: cert, key_pem: key } } });
    const silent = await connect(port('tls'));
    silent.resume();
    const closed = once(silent, 'close');
    const deadline = new AbortController();
    const stopped = receiver.stop(deadline.signal);
    deadline.abort();
    await stopped;
    await closed;
  });

  it('survives clients that speak something else', async () => {
    const { cert, key } = selfSigned('localhost');
    const { intake, port } = await start({ tcp: { ...free, tls: { cert_pem: cert, key_pem: key } } });
    const plain = await connect(port('tls'));
    plain.resume();
    plain.write('<13>a: plain\n');
    await once(plain, 'close');
    expect(intake.entries).toEqual([]);
  });
});

describe('over UDP', () => {
  it('takes one message a datagram', async () => {
    const { intake, port } = await start({ udp: { ...free, add_attributes: true } });
    await sendDatagrams(
      port('udp'),
      '<13>a: one\n',
      '\n',
      '<13>a: two\nof two lines\0',
      Buffer.from('<13>a: \xfc', 'latin1'),
    );
    await recorded(intake, 3);
    expect(messages(intake).toSorted()).toEqual(['one', 'two\nof two lines', 'ü']);
    expect(intake.entries[0]!.transport).toBe('udp');
    expect(records(intake)[0]!.attributes).toMatchObject({
      'net.transport': 'IP.UDP',
      'net.peer.ip': '127.0.0.1',
    });
  });

  it('cuts what is longer than the limit', async () => {
    const { intake, port } = await start({ udp: { ...free, max_log_size: 480 } });
    await sendDatagrams(port('udp'), `<13>a: ${'x'.repeat(1000)}`);
    await recorded(intake, 1);
    expect(records(intake)[0]!.attributes['syslog.truncated']).toBe(true);
  });

  it('counts what it has no room for', async () => {
    const intake = new FakeIntake(['logs']);
    intake.admitError = full(60);
    const { port, receiver } = await start({ udp: free }, intake);
    await sendDatagrams(port('udp'), '<13>a: held');
    await intake.until(() => intake.admitted_bytes.length > 0);
    await sendDatagrams(port('udp'), '<13>a: lost');
    await intake.until(() => intake.refusals.length > 0);
    running.length = 0;
    await receiver.stop(AbortSignal.abort());
    expect(intake.refusals).toEqual([
      { signal: 'logs', transport: 'udp', items: 1 },
      { signal: 'logs', transport: 'udp', items: 1 },
    ]);
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('counts what the kernel dropped', async () => {
    const { intake, port } = await start({ udp: { ...free, receive_buffer_size: 4096 } });
    const sender = createSocket('udp4');
    const count = 200;
    // Sent in one turn: nobody reads meanwhile, and the buffer holds a few of them.
    const sends = Array.from(
      { length: count },
      () => new Promise((resolve) => sender.send(Buffer.alloc(1000, 'x'), port('udp'), '127.0.0.1', resolve)),
    );
    await Promise.all(sends);
    sender.close();
    const refused = () => intake.refusals.reduce((sum, { items }) => sum + items, 0);
    await intake.until(() => itemsOf(intake) + refused() >= count);
    expect(refused()).toBeGreaterThan(0);
    expect(records(intake).length + refused()).toBe(count);
  });
});

describe('over a unix socket', () => {
  it('takes messages from its owner alone', async () => {
    const file = path.join(temporary(), 'syslog.sock');
    const { intake } = await start({ unix: { listen_address: file } });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    net.connect(file).end('<13>a: one\n');
    await intake.appended(1);
    expect(messages(intake)).toEqual(['one']);
    expect(intake.entries[0]!.transport).toBe('unix');
  });
});

describe('the doors', () => {
  it('open together or not at all', async () => {
    const taken = createSocket('udp4').bind(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address();
    const attempt = start({
      tcp: { listen_address: `127.0.0.1:${port}` },
      udp: { listen_address: `127.0.0.1:${port}` },
    });
    await expect(attempt).rejects.toThrow(/something listens there already.*\(udp\.listen_address\)/);
    await expect(connect(port)).rejects.toThrow(/ECONNREFUSED/);
    taken.close();
  });

  it('say where they are', async () => {
    const { receiver } = await start({ tcp: free, udp: free });
    expect(
      receiver.endpoints.map(({ protocol, address }) => [protocol, address.replace(/\d+$/, 'N')]),
    ).toEqual([
      ['tcp', '127.0.0.1:N'],
      ['udp', '127.0.0.1:N'],
    ]);
  });
});
