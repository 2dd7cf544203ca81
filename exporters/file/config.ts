// What the file exporter can be told; the keys are those of the Collector's where it has them.

import { z } from 'zod';
import { durationMs, filePath, section } from '../../config/fields.ts';
import { drainShape } from '../drain/config.ts';

export const fileConfig = section({
  ...drainShape,
  /** The file that is being written; folders are created. */
  path: filePath(),
  /** OTLP JSON, one Export*ServiceRequest a line. */
  format: z.enum(['json']).default('json'),
  /** The Collector's; taken and ignored, for every batch is fsynced before it counts as delivered. */
  flush_interval: durationMs().optional(),
  rotation: section({
    /** Megabytes (10^6 bytes) after which a new file is begun. */
    max_megabytes: z.number().positive().default(100),
    /** Age after which a new file is begun; 0: size alone decides. */
    max_age: durationMs().default(0),
    /** Days after which rotated files are removed; 0: never. */
    max_days: z.number().min(0).default(0),
    /** Rotated files that are kept; 0 keeps all. */
    max_backups: z.int().min(0).default(100),
  }).prefault({}),
});

export type FileConfig = z.output<typeof fileConfig>;
