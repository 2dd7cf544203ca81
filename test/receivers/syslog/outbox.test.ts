import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '../../../config/logger.ts';
import { writeTextBody } from '../../../otlp/log_record.ts';
import { IntakeTooLarge } from '../../../receivers/receiver.ts';
import { Outbox } from '../../../receivers/syslog/outbox.ts';
import { FakeIntake, full } from '../otlp/fake_intake.ts';

const HOUR_MS = 3_600_000;
const NEVER = AbortSignal.timeout(HOUR_MS);

interface Rig {
  readonly intake: FakeIntake;
  readonly outbox: Outbox;
  readonly rooms: number[];
  add(count: number, text?: string): void;
}

/** Nothing leaves by time. */
function rig(): Rig {
  const intake = new FakeIntake(['logs']);
  const rooms: number[] = [];
  const outbox = new Outbox({
    intake,
    logger: silentLogger,
    transport: 'tcp',
    resource: Buffer.alloc(0),
    flush_ms: HOUR_MS,
    message_bytes: 65_536,
    retry_ms: 1,
    onRoom: () => rooms.push(intake.entries.length),
  });
  const add = (count: number, text = 'text'): void => {
    const bytes = Buffer.from(text);
    for (let each = 0; each < count; each += 1) {
      outbox.writer.beginRecord(bytes.length);
      writeTextBody(outbox.writer.out, bytes, 0, bytes.length);
      outbox.writer.endRecord();
      outbox.added();
    }
  };
  return { intake, outbox, rooms, add };
}

const items = (intake: FakeIntake) => intake.entries.map((entry) => entry.items);

describe('Outbox', () => {
  it('sends a batch by number and by size', async () => {
    const { intake, outbox, add } = rig();
    add(4097);
    expect(items(intake)).toEqual([4096]);
    add(5, 'x'.repeat(60_000));
    expect(items(intake)).toEqual([4096, 6]);
    expect(intake.entries[1]!.rawLength).toBeGreaterThanOrEqual(240 * 1024);
    await outbox.close(NEVER);
    expect(items(intake)).toEqual([4096, 6]);
  });

  it('is full at the bound, and has room again when half of it is durable', async () => {
    const { intake, outbox, rooms, add } = rig();
    intake.holding = true;
    while (!outbox.isFull) add(1, 'x'.repeat(60_000));
    const bytes = intake.entries.reduce((sum, entry) => sum + entry.rawLength, 0);
    expect(bytes).toBeGreaterThanOrEqual(8 * 2 ** 20);
    expect(bytes).toBeLessThan(9 * 2 ** 20);
    expect(rooms).toEqual([]);
    intake.settle();
    await outbox.close(NEVER);
    expect(rooms).toHaveLength(1);
    expect(outbox.isFull).toBe(false);
  });

  it('keeps the bytes of a batch as they are while others are written', async () => {
    const { intake, outbox, add } = rig();
    intake.holding = true;
    add(1, 'first');
    outbox.flush();
    add(1, 'second');
    outbox.flush();
    const first = Buffer.from(intake.entries[0]!.bytes);
    // The commit of both failed: they come again as they were.
    intake.settle(full(0));
    const late = intake.appended(4);
    await late;
    const again = intake.entries.slice(2).map(({ bytes }) => Buffer.from(bytes).toString('hex'));
    expect(again).toContain(first.toString('hex'));
    expect(new Set(again).size).toBe(2);
    await outbox.close(NEVER);
    expect(intake.refusals).toEqual([]);
  });

  it('goes on behind what can never be stored', async () => {
    const { intake, outbox, add } = rig();
    intake.appendError = new IntakeTooLarge('larger than any entry');
    add(1);
    outbox.flush();
    intake.appendError = undefined;
    add(2);
    await outbox.close(NEVER);
    expect(items(intake)).toEqual([2]);
    expect(outbox.isFull).toBe(false);
  });

  it('counts what it could not give away when it is closed', async () => {
    const { intake, outbox, add } = rig();
    intake.admitError = full(60);
    add(3);
    outbox.flush();
    add(2);
    await outbox.close(AbortSignal.abort());
    expect(intake.refusals.map(({ items: count }) => count)).toEqual([3, 2]);
  });
});
