import { expect, test } from '@jest/globals';
import { silentLogger } from '../../../config/logger.ts';
import { ConnectionLimit } from '../../../receivers/connection_limit.ts';
import { nopReceiver } from '../../../receivers/nop/receiver.ts';
import { FakeIntake } from '../otlp/fake_intake.ts';

test('listens nowhere and takes nothing', async () => {
  const context = { id: 'nop', logger: silentLogger, connections: new ConnectionLimit(1) };
  const receiver = (await nopReceiver.load()).create(nopReceiver.schema.parse(null), context);
  const intake = new FakeIntake();
  await receiver.start(intake);
  expect(receiver.endpoints).toEqual([]);
  await receiver.stop(AbortSignal.abort());
  expect(intake.entries).toEqual([]);
});
