// What the file exporter can be told; the keys are those of the Collector's where it has them.

import * as z from 'zod';
import { durationMs, filePath, section, sectionOf } from '../../config/fields.ts';
import { drainShape } from '../drain/config.ts';

const file = z
  .strictObject({
    ...drainShape,
    /** The file that is being written; folders are created. */
    path: filePath(),
    /** OTLP as JSON lines or as protobuf, or one line of text per item. */
    format: z.enum(['json', 'proto', 'text']).default('json'),
    /** Of each request by itself, as the Collector has it: readable only for what knows the lengths between them. */
    compression: z.enum(['none', 'zstd']).default('none'),
    /** The Collector's; taken and ignored, for every batch is fsynced before it counts as delivered. */
    flush_interval: durationMs().optional(),
    /** The Collector's. To begin anew at each start would throw away what was delivered. */
    append: z.literal(true).optional(),
    rotation: section({
      /** Megabytes (10^6 bytes) after which a new file is begun. */
      max_megabytes: z.number().positive().default(100),
      /** Age after which a new file is begun; 0: size alone decides. */
      max_age: durationMs().default(0),
      /** Days after which rotated files are removed; 0: never. */
      max_days: z.number().min(0).default(0),
      /** Rotated files that are kept; 0 keeps all. */
      max_backups: z.int().min(0).default(100),
      /** Names of rotated files say the host's time instead of UTC. */
      localtime: z.boolean().default(false),
      /** Of rotated files as a whole: `.gz` or `.zst`. */
      compression: z.enum(['none', 'gzip', 'zstd']).default('none'),
    }).prefault({}),
  })
  .superRefine(({ format, compression, rotation }, context) => {
    const says = (path: string[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    if (compression !== 'none' && format === 'text')
      says(['compression'], 'format: text is lines: see rotation.compression');
    if (compression !== 'none' && rotation.compression !== 'none') {
      says(['rotation', 'compression'], 'compression is set too: one of the two');
    }
  });

export const fileConfig = sectionOf(file);

export type FileConfig = z.output<typeof fileConfig>;
