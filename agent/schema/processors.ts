// Processors of a Collector file that the buffer makes needless: accepted, and what of them still matters is mapped.

import * as z from 'zod';
import { durationMs } from '../../config/fields.ts';

/** Batching happens when entries are read from disk; an explicit limit of the backend is kept. */
export const batchSchema = z.preprocess(
  (value) => value ?? {},
  z.looseObject({
    timeout: durationMs().optional(),
    send_batch_size: z.number().int().min(0).optional(),
    send_batch_max_size: z.number().int().min(0).optional(),
  }),
);
export type BatchConfig = z.output<typeof batchSchema>;

/** Memory is bounded by construction (buffer.in_flight), so whatever stands here is heeded already. */
export const memoryLimiterSchema = z.preprocess((value) => value ?? {}, z.looseObject({}));
