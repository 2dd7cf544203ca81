// Which priority a stream has by the patterns of `buffer.retention.priority`.

import { describe, expect, it } from '@jest/globals';
import { priorityOf, retentionSchema } from '../../../agent/schema/retention.ts';

describe('buffer.retention.priority', () => {
  it('goes by the last pattern that matches, and is 0 where none does', () => {
    const retention = retentionSchema.parse({ priority: { '**': -5, 'logs.*': 1, 'logs.otlp.debug': -9 } });
    expect(priorityOf('logs.otlp', retention)).toBe(1);
    expect(priorityOf('logs.otlp.debug', retention)).toBe(-9);
    expect(priorityOf('traces.otlp', retention)).toBe(-5);
    expect(priorityOf('traces.otlp', retentionSchema.parse({}))).toBe(0);
  });
});
