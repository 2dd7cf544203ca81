// What the agent knows of the file exporter before it runs one. Invariant: what runs it is loaded only where it is configured.

import { signals } from '../../otlp/signal.ts';
import { drainConfigOf, drainNotes } from '../drain/config.ts';
import type { ExporterFactory } from '../exporter.ts';
import { type FileConfig, fileConfig } from './config.ts';

export const fileExporter: ExporterFactory<FileConfig> = {
  type: 'file',
  description:
    'Writes OTLP as JSON lines, protobuf or text to a file, rotated by size and age, fsynced before it counts as delivered.',
  signals,
  schema: fileConfig,
  drain: drainConfigOf,
  notes: drainNotes,
  load: () => import('./exporter.ts'),
};
