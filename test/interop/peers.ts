// All peers, in the order in which they play.

import type { Peer } from './peer.ts';
import { collectorBehind } from './peers/collector_behind.ts';
import { collectorGuarded } from './peers/collector_guarded.ts';
import { collectorInFront } from './peers/collector_in_front.ts';
import { collectorReadsFiles } from './peers/collector_reads_files.ts';
import { logger } from './peers/logger.ts';
import { openssl } from './peers/openssl.ts';
import { prometheus } from './peers/prometheus.ts';
import { rsyslog } from './peers/rsyslog.ts';
import { sdkJava } from './peers/sdk_java.ts';
import { sdkJavaScript } from './peers/sdk_javascript.ts';
import { sdkPython } from './peers/sdk_python.ts';
import { telemetrygen } from './peers/telemetrygen.ts';
import { victoriaLogs } from './peers/victoria_logs.ts';
import { victoriaMetrics } from './peers/victoria_metrics.ts';

export const peers: readonly Peer[] = [
  sdkJavaScript,
  sdkPython,
  sdkJava,
  telemetrygen,
  logger,
  rsyslog,
  openssl,
  collectorInFront,
  collectorBehind,
  collectorGuarded,
  collectorReadsFiles,
  victoriaLogs,
  victoriaMetrics,
  prometheus,
];
