// An HTTP receiver on a free port with a fake intake behind it, and the records that arrived as OTLP/JSON.

import { expect } from '@jest/globals';
import { silentLogger } from '../../../config/logger.ts';
import { type JsonObject, requestToObject } from '../../../otlp/json/from_protobuf.ts';
import { walk } from '../../../otlp/walk.ts';
import { ConnectionLimit } from '../../../receivers/connection_limit.ts';
import { httpReceiver } from '../../../receivers/http/factory.ts';
import type { Receiver, ReceiverContext } from '../../../receivers/receiver.ts';
import { FakeIntake } from '../otlp/fake_intake.ts';
import { type Answer, type Sent, send } from '../otlp/harness.ts';

export interface Running {
  readonly receiver: Receiver;
  readonly intake: FakeIntake;
  readonly port: number;
  /** JSON unless it says otherwise. */
  post(body: string | Uint8Array, sent?: Sent): Promise<Answer>;
  stop(): Promise<void>;
}

export async function startReceiver(
  config: object = {},
  authenticators?: ReceiverContext['authenticators'],
): Promise<Running> {
  const intake = new FakeIntake(['logs']);
  const receiver = (await httpReceiver.load()).create(
    httpReceiver.schema.parse({ endpoint: '127.0.0.1:0', ...config }),
    {
      id: 'http',
      logger: silentLogger,
      connections: new ConnectionLimit(Number.POSITIVE_INFINITY),
      ...(authenticators && { authenticators }),
    },
  );
  await receiver.start(intake);
  const port = Number(receiver.endpoints[0]!.address.split(':').at(-1));
  return {
    receiver,
    intake,
    port,
    post: (body, sent = {}) =>
      send(port, {
        path: '/',
        ...sent,
        headers: { 'Content-Type': 'application/json', ...sent.headers },
        body: typeof body === 'string' ? Buffer.from(body) : body,
      }),
    stop: () => receiver.stop(AbortSignal.abort()),
  };
}

/** All records of all entries, each with the attributes of its resource; the observed time is left out. */
export function recordsOf(intake: FakeIntake): JsonObject[] {
  return intake.entries.flatMap(({ bytes, items, rawLength, shardKey }) => {
    expect({ items, shardKey }).toEqual(walk('logs', bytes));
    expect(rawLength).toBe(bytes.length);
    const { resourceLogs } = requestToObject('logs', bytes) as {
      resourceLogs: { resource?: JsonObject; scopeLogs: { logRecords: JsonObject[] }[] }[];
    };
    return resourceLogs.flatMap(({ resource, scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) =>
        logRecords.map(({ observedTimeUnixNano, ...record }) => {
          expect(Number(observedTimeUnixNano)).toBeGreaterThan(0);
          return { ...record, ...(resource && { resource: resource['attributes']! }) };
        }),
      ),
    );
  });
}
