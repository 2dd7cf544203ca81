// What the debug exporter can be told; the keys are the Collector's.

import * as z from 'zod';
import { section } from '../../config/fields.ts';
import { drainShape } from '../drain/config.ts';

export const debugConfig = section({
  ...drainShape,
  /** One line per batch; one per item; everything. */
  verbosity: z.enum(['basic', 'normal', 'detailed']).default('basic'),
  /** Batches that are shown of each second before sampling begins. */
  sampling_initial: z.int().min(0).default(2),
  /** Of those beyond, every so manieth is shown; 1: all of them; 0: none. */
  sampling_thereafter: z.int().min(0).default(1),
  /** false: to the standard output, past the agent's log and its level. */
  use_internal_logger: z.boolean().default(true),
  /** A look at the data must not pin the disk. */
  protect: z.boolean().default(false),
});

export type DebugConfig = z.output<typeof debugConfig>;
