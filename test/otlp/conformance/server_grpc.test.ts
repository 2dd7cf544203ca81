// shared/OTLP.md, the server's lines as far as they concern gRPC; each test is named by its number.

import { gunzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HoldfastError } from '../../../config/error.ts';
import { signals } from '../../../otlp/signal.ts';
import { FakeIntake, full } from '../../receivers/otlp/fake_intake.ts';
import {
  GrpcClient,
  grpcDetails,
  type Running,
  request,
  startReceiver,
} from '../../receivers/otlp/harness.ts';

let running: Running;
let intake: FakeIntake;
let client: GrpcClient;

beforeEach(async () => {
  running = await startReceiver({ grpc: { max_recv_msg_size_mib: 1 } });
  intake = running.intake;
  client = new GrpcClient(running.grpcPort);
});
afterEach(async () => {
  client.close();
  await running.stop();
});

async function refusal(promise: Promise<unknown>): Promise<grpc.ServiceError> {
  return promise.then(
    () => {
      throw new Error('the call succeeded');
    },
    (error: grpc.ServiceError) => error,
  );
}

describe('OTLP over gRPC', () => {
  it.each(signals)(
    'OTLP 1, 9: the %s service takes requests and answers with an empty message',
    async (signal) => {
      const body = request(signal, 4);
      expect(await client.export(signal, body)).toHaveLength(0);
      expect(intake.entries).toMatchObject([
        { signal, codec: 'identity', items: 4, rawLength: body.length, transport: 'grpc' },
      ]);
      expect(Buffer.from(intake.entries[0]!.bytes)).toEqual(body);
    },
  );

  it('OTLP 5: gzip is taken', async () => {
    const zipping = new GrpcClient(running.grpcPort, true);
    const body = request('traces', 50);
    await zipping.export('traces', body);
    expect(intake.entries).toMatchObject([{ codec: 'gzip', items: 50, rawLength: body.length }]);
    expect(gunzipSync(intake.entries[0]!.bytes)).toEqual(body);
    zipping.close();
  });

  it('OTLP 6, 8: over the limit is RESOURCE_EXHAUSTED without RetryInfo', async () => {
    const error = await refusal(client.export('traces', Buffer.alloc(2 ** 20 + 1)));
    expect(error.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    expect(grpcDetails(error)?.retryDelay_ms).toBeUndefined();
    expect(intake.entries).toEqual([]);
  });

  it('OTLP 6, 8: decompression stops at the limit', async () => {
    const zipping = new GrpcClient(running.grpcPort, true);
    const error = await refusal(zipping.export('traces', Buffer.alloc(200 * 2 ** 20)));
    expect(error.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    expect(grpcDetails(error)?.retryDelay_ms).toBeUndefined();
    expect(intake.entries).toEqual([]);
    zipping.close();
    expect(await client.export('logs', request('logs'))).toHaveLength(0);
  });

  it('OTLP 6: a message of the limit is taken', async () => {
    const padding = 2 ** 20 - 6;
    const header = Buffer.from([
      0x9a,
      0x06,
      0x80 | (padding & 0x7f),
      0x80 | ((padding >> 7) & 0x7f),
      padding >> 14,
    ]);
    const body = Buffer.concat([header, Buffer.alloc(padding)]);
    expect(await client.export('traces', body)).toHaveLength(0);
  });

  it('OTLP 9: success is not said before the entry is durable', async () => {
    intake.holding = true;
    let answered = false;
    const answer = client.export('traces', request('traces')).then(() => {
      answered = true;
    });
    await intake.appended(1);
    await client.export('traces', Buffer.alloc(0));
    expect(answered).toBe(false);
    intake.settle();
    await answer;
  });

  it('OTLP 10: an empty request is a success', async () => {
    expect(await client.export('metrics', Buffer.alloc(0))).toHaveLength(0);
    expect(intake.entries).toEqual([]);
  });

  it('OTLP 12: what cannot be decoded is INVALID_ARGUMENT that names field and byte', async () => {
    const error = await refusal(client.export('logs', Buffer.from([10, 4, 18, 9, 1, 1])));
    expect(error.code).toBe(grpc.status.INVALID_ARGUMENT);
    expect(error.details).toBe('resource_logs[0].scope_logs[0]: length 9 passes the end at byte 2');
    expect(intake.refusals).toEqual([{ signal: 'logs', transport: 'grpc', items: 0 }]);
  });

  it.each(['admitError', 'appendError'] as const)(
    'OTLP 14: full is UNAVAILABLE with RetryInfo: %s',
    async (where) => {
      intake[where] = full(7);
      const error = await refusal(client.export('traces', request('traces')));
      expect(error.code).toBe(grpc.status.UNAVAILABLE);
      expect(grpcDetails(error)).toEqual({
        code: grpc.status.UNAVAILABLE,
        message: 'the disk budget is used up',
        retryDelay_ms: 7000,
      });
    },
  );

  it('OTLP 14: a failing disk is UNAVAILABLE while it may heal, else INTERNAL, and never a success', async () => {
    for (const [retryable, code] of [
      [true, grpc.status.UNAVAILABLE],
      [false, grpc.status.INTERNAL],
    ] as const) {
      intake.holding = true;
      const answer = refusal(client.export('traces', request('traces')));
      await intake.appended(retryable ? 1 : 2);
      intake.settle(new HoldfastError('HF_SEGMENT_SYNC', 'EIO /secret/path/0.log', retryable));
      expect((await answer).code).toBe(code);
      expect((await answer).details).toBe('the request could not be stored (HF_SEGMENT_SYNC)');
    }
  });

  it('OTLP 14: errors with texts that cannot be a header are answered all the same', async () => {
    intake.appendError = new (full(1).constructor as new (m: string, s: number) => Error)(
      'half \ud800 of a pair',
      1,
    );
    const error = await refusal(client.export('traces', request('traces')));
    expect(error.code).toBe(grpc.status.UNAVAILABLE);
  });

  it('OTLP 19: unknown fields are kept byte for byte', async () => {
    const body = Buffer.concat([request('traces'), Buffer.from([0xfa, 0x3e, 3, 1, 2, 3])]);
    await client.export('traces', body);
    expect(Buffer.from(intake.entries[0]!.bytes)).toEqual(body);
  });

  it('OTLP 2: a signal without a pipeline, and any other method, is UNIMPLEMENTED', async () => {
    const tracesOnly = await startReceiver({}, new FakeIntake(['traces']));
    const other = new GrpcClient(tracesOnly.grpcPort);
    const error = await refusal(other.export('logs', request('logs')));
    expect(error.code).toBe(grpc.status.UNIMPLEMENTED);
    const unknown = await refusal(
      other.call(
        '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
        Buffer.alloc(0),
      ),
    );
    expect(unknown.code).toBe(grpc.status.UNIMPLEMENTED);
    other.close();
    await tracesOnly.stop();
  });

  it('OTLP 25: a client that cancels leaves no leak, and what was written stays written', async () => {
    intake.holding = true;
    let cancel = () => {};
    const call = refusal(
      client.call(
        '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
        request('traces'),
        (each) => {
          cancel = () => each.cancel();
        },
      ),
    );
    await intake.appended(1);
    cancel();
    expect((await call).code).toBe(grpc.status.CANCELLED);
    intake.settle();
    expect(await client.export('traces', request('traces'))).toHaveLength(0);
    expect(intake.entries).toHaveLength(2);
  });
});
