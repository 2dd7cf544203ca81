// The components in this build: the one list that a new receiver or exporter is added to.

import { debugExporter } from '../exporters/debug/factory.ts';
import { fileExporter } from '../exporters/file/factory.ts';
import { nopExporter } from '../exporters/nop/exporter.ts';
import { otlpGrpcExporter } from '../exporters/otlp_grpc/factory.ts';
import { otlpHttpExporter } from '../exporters/otlp_http/factory.ts';
import { httpReceiver } from '../receivers/http/factory.ts';
import { nopReceiver } from '../receivers/nop/receiver.ts';
import { otlpReceiver } from '../receivers/otlp/factory.ts';
import { syslogReceiver } from '../receivers/syslog/factory.ts';
import type { Components } from './schema/agent_config.ts';

export const components: Components = {
  receivers: [otlpReceiver, syslogReceiver, httpReceiver, nopReceiver],
  exporters: [otlpHttpExporter, otlpGrpcExporter, fileExporter, debugExporter, nopExporter],
};
