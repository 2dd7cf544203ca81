// The components in this build: the one list that a new receiver or exporter is added to.

import { debugExporter, debugExporter } from '../exporters/debug/exporter.ts';
import { fileExporter, fileExporter } from '../exporters/file/exporter.ts';
import { otlpReceiver } from '../receivers/otlp/receiver.ts';
import type { Components } from './schema/agent_config.ts';

export const components: Components = {
  receivers: [otlpReceiver],
  exporters: [fileExporter, debugExporter],
};
