// The extensions of this build: health_check is served, file_storage says where the log lives.

import { z } from 'zod';
import { deprecated, filePath, listenAddress, section } from '../../config/fields.ts';

export const healthCheckSchema = section({
  endpoint: listenAddress().prefault('127.0.0.1:13133'),
  path: z
    .string()
    .regex(/^\/[^\s?#]*$/, 'a path that begins with /')
    .default('/'),
  check_collector_pipeline: deprecated(
    z.unknown().optional(),
    'nothing: the answer follows the shards themselves',
  ),
});
export type HealthCheckConfig = z.output<typeof healthCheckSchema>;

/** The Collector's keys; only the directory means something here. */
export const fileStorageSchema = section({
  directory: filePath().default('/var/lib/otelcol/file_storage'),
  timeout: z.unknown().optional(),
  compaction: z.unknown().optional(),
  fsync: z.unknown().optional(),
  create_directory: z.unknown().optional(),
  directory_permissions: z.unknown().optional(),
  recreate: z.unknown().optional(),
});
export type FileStorageConfig = z.output<typeof fileStorageSchema>;
