// The components in this build: the one list that a new receiver or exporter is added to.

import { debugExporter } from '../exporters/debug/exporter.ts';
import { fileExporter } from '../exporters/file/exporter.ts';
import { nopExporter } from '../exporters/nop/exporter.ts';
import { otlpGrpcExporter } from '../exporters/otlp_grpc/exporter.ts';
import { otlpHttpExporter } from '../exporters/otlp_http/exporter.ts';
import { nopReceiver } from '../receivers/nop/receiver.ts';
import { otlpReceiver } from '../receivers/otlp/receiver.ts';
import { syslogReceiver } from '../receivers/syslog/receiver.ts';
import type { Components } from './schema/agent_config.ts';

export const components: Components = {
  receivers: [otlpReceiver, syslogReceiver, nopReceiver],
  exporters: [otlpHttpExporter, otlpGrpcExporter, fileExporter, debugExporter, nopExporter],
};
