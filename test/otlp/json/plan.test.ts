import { describe, expect, it } from '@jest/globals';
import { type PlanMessage, planOf } from '../../../otlp/json/plan.ts';
import { type Message, messages, requestOf } from '../../../otlp/schema.ts';

const find = (plan: PlanMessage, key: string): number | undefined => {
  const bytes = Buffer.from(`"${key}"`);
  return plan.find(bytes, 1, bytes.length - 1)?.field.number;
};

describe('planOf', () => {
  it.each([...messages.values()])('finds every key of $name, and no other', (message: Message) => {
    const plan = planOf(message);
    const own = new Map([...message.fields.values()].map((field) => [field.jsonName, field.number]));
    for (const other of messages.values()) {
      for (const { jsonName, protoName } of other.fields.values()) {
        for (const key of [
          jsonName,
          protoName,
          `${jsonName}s`,
          jsonName.slice(1),
          jsonName.toUpperCase(),
          '',
        ]) {
          expect(find(plan, key)).toBe(own.get(key));
        }
      }
    }
  });

  it('keeps field numbers within the bits of one integer', () => {
    const numbers = [...messages.values()].flatMap((message) => [...message.fields.keys()]);
    expect(Math.max(...numbers)).toBeLessThan(32);
  });

  it('knows which fields exclude each other', () => {
    const plan = planOf(messages.get('NumberDataPoint')!);
    const bits = (key: string) => plan.find(Buffer.from(key), 0, key.length)!.excludes;
    expect(bits('asDouble')).toBe((1 << 4) | (1 << 6));
    expect(bits('asInt')).toBe(bits('asDouble'));
    expect(bits('flags')).toBe(1 << 8);
  });

  it('leads from the request to the messages within, round and round', () => {
    let plan = planOf(requestOf.logs);
    const path = 'resourceLogs scopeLogs logRecords body kvlistValue values value kvlistValue values value';
    for (const key of path.split(' ')) plan = plan.find(Buffer.from(key), 0, key.length)!.message!;
    expect(find(plan, 'stringValue')).toBe(1);
  });
});
