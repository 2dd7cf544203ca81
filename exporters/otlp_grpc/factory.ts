// What the agent knows of the exporter of OTLP over gRPC before it runs one. Invariant: what runs it is loaded only where it is configured.

import { signals } from '../../otlp/signal.ts';
import { drainConfigOf, drainNotes } from '../drain/config.ts';
import type { ExporterFactory } from '../exporter.ts';
import { credentialsIn } from '../otlp/config.ts';
import { type OtlpGrpcConfig, otlpGrpcSchema } from './config.ts';

export const otlpGrpcExporter: ExporterFactory<OtlpGrpcConfig> = {
  type: 'otlp_grpc',
  aliases: ['otlp'],
  description: 'Sends OTLP over gRPC, compressed with gzip or zstd or plain.',
  signals,
  schema: otlpGrpcSchema,
  drain: drainConfigOf,
  notes: drainNotes,
  credentials: credentialsIn,
  load: () => import('./exporter.ts'),
};
