// What the debug exporter can be told.

import { z } from 'zod';
import { section } from '../../config/fields.ts';
import { drainShape } from '../drain/config.ts';

export const debugConfig = section({
  ...drainShape,
  /** One line per batch. `normal` and `detailed` come later. */
  verbosity: z.enum(['basic']).default('basic'),
  /** A look at the data must not pin the disk. */
  protect: z.boolean().default(false),
});

export type DebugConfig = z.output<typeof debugConfig>;
