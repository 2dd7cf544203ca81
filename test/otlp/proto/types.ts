// The official messages through protobufjs: what our own reading and writing is compared with.

import path from 'node:path';
import protobuf from 'protobufjs';
import type { Signal } from '../../../otlp/signal.ts';

const directory = import.meta.dirname;
const root = new protobuf.Root();
root.resolvePath = (_origin, target) => path.join(directory, path.basename(target));
root.loadSync(['trace_service.proto', 'metrics_service.proto', 'logs_service.proto', 'status.proto'], {
  keepCase: false,
});

const collector = 'opentelemetry.proto.collector';

export const requestType: Readonly<Record<Signal, protobuf.Type>> = {
  traces: root.lookupType(`${collector}.trace.v1.ExportTraceServiceRequest`),
  metrics: root.lookupType(`${collector}.metrics.v1.ExportMetricsServiceRequest`),
  logs: root.lookupType(`${collector}.logs.v1.ExportLogsServiceRequest`),
};

export const responseType: Readonly<Record<Signal, protobuf.Type>> = {
  traces: root.lookupType(`${collector}.trace.v1.ExportTraceServiceResponse`),
  metrics: root.lookupType(`${collector}.metrics.v1.ExportMetricsServiceResponse`),
  logs: root.lookupType(`${collector}.logs.v1.ExportLogsServiceResponse`),
};

export const statusType = root.lookupType('google.rpc.Status');
export const retryInfoType = root.lookupType('google.rpc.RetryInfo');

/** Any message of the fixtures by its full name. */
export function typeNamed(name: string): protobuf.Type {
  return root.lookupType(name);
}

/** Protobuf bytes of a plain object with lowerCamelCase keys. */
export function encode(type: protobuf.Type, value: object): Buffer {
  return Buffer.from(type.encode(type.fromObject(value)).finish());
}
