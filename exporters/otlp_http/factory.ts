// What the agent knows of the exporter of OTLP over HTTP before it runs one. Invariant: what runs it is loaded only where it is configured.

import { signals } from '../../otlp/signal.ts';
import { drainConfigOf, drainNotes } from '../drain/config.ts';
import type { ExporterFactory } from '../exporter.ts';
import { credentialsIn } from '../otlp/config.ts';
import { type OtlpHttpConfig, otlpHttpSchema } from './config.ts';

export const otlpHttpExporter: ExporterFactory<OtlpHttpConfig> = {
  type: 'otlp_http',
  aliases: ['otlphttp'],
  description: 'Sends OTLP over HTTP, as protobuf or JSON, compressed with gzip or zstd or plain.',
  signals,
  schema: otlpHttpSchema,
  drain: drainConfigOf,
  notes: drainNotes,
  credentials: credentialsIn,
  load: () => import('./exporter.ts'),
};
