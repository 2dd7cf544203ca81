// What the agent knows of the debug exporter before it runs one. Invariant: what runs it is loaded only where it is configured.

import { signals } from '../../otlp/signal.ts';
import { drainConfigOf, drainNotes } from '../drain/config.ts';
import type { ExporterFactory } from '../exporter.ts';
import { type DebugConfig, debugConfig } from './config.ts';

export const debugExporter: ExporterFactory<DebugConfig> = {
  type: 'debug',
  aliases: ['logging'],
  description: 'Shows in the log what passes by: a line per batch, a line per item, or everything.',
  signals,
  schema: debugConfig,
  drain: drainConfigOf,
  notes: drainNotes,
  load: () => import('./exporter.ts'),
};
