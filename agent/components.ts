// The components in this build: the one list that a new receiver or exporter is added to.

import { otlpReceiver } from '../receivers/otlp/receiver.ts';
import type { Components } from './schema/agent_config.ts';

export const components: Components = {
  receivers: [otlpReceiver],
  exporters: [],
};
