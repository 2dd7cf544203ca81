// What runs without --config: everything local, nothing to set up, and a file to look at.

import type { NamedText } from '../config/source.ts';

/** The name that positions give instead of a file. */
export const defaultConfig: NamedText = {
  name: 'built-in defaults',
  text: `# OTLP, syslog, and logs over HTTP, on this machine only, kept on disk, written to a file as OTLP JSON lines.
receivers:
  otlp:
    protocols:
      grpc: { endpoint: 127.0.0.1:4317 }
      http: { endpoint: 127.0.0.1:4318 }
  http:
    endpoint: 127.0.0.1:8088
    routes:
      - path: /
        body: message
        timestamp: { path: time }
        severity: { path: level }
  syslog:
    tcp: { listen_address: 127.0.0.1:5514 }
    udp: { listen_address: 127.0.0.1:5514 }
exporters:
  file:
    path: ./holdfast-data/export/telemetry.jsonl
extensions:
  health_check: { endpoint: 127.0.0.1:13133 }
buffer:
  directory: ./holdfast-data/buffer
service:
  extensions: [health_check]
  telemetry:
    summary_interval: 5s
  pipelines:
    traces: { receivers: [otlp], exporters: [file] }
    metrics: { receivers: [otlp], exporters: [file] }
    logs: { receivers: [otlp, syslog, http], exporters: [file] }
`,
};
