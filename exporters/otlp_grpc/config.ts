// What a user may say about an OTLP/gRPC destination, with the Collector's keys. Where a key of the Collector has no
// meaning here it is accepted and listed as such, so that its files run unchanged.

import * as z from 'zod';
import { durationMs, grpcTarget, headers, section, sectionOf, sizeBytes } from '../../config/fields.ts';
import { clientTlsSchema } from '../../config/tls.ts';
import { drainShape } from '../drain/config.ts';
import { authShape, bodyShape, checkBody, FAILOVERS_MAX } from '../otlp/config.ts';

const shape = {
  endpoint: grpcTarget(),
  /** Destinations that are asked, in this order, while those before them fail. */
  failover_endpoints: z.array(grpcTarget()).max(FAILOVERS_MAX).default([]),
  /** Sent as metadata. */
  headers: headers().prefault({}),
  ...authShape,
  /** The host that requests name, where it is not the endpoint's. */
  authority: z.string().min(1).optional(),
  ...bodyShape,
  tls: sectionOf(clientTlsSchema).prefault({}),
  keepalive: section({
    /** A connection with requests under way is asked for a sign of life this often; 0: never. */
    time: durationMs().prefault('30s'),
    /** How long that sign may take before the connection is given up. */
    timeout: durationMs({ min: 1 }).prefault('10s'),
    /** Also while no request is under way. */
    permit_without_stream: z.boolean().default(false),
  }).prefault({}),
  /** Without a meaning here. */
  balancer_name: z.string().optional(),
  wait_for_ready: z.boolean().optional(),
  read_buffer_size: sizeBytes().optional(),
  write_buffer_size: sizeBytes().optional(),
  ...drainShape,
};

/** What the protocol itself sets: RFC 9113, 8.2.2, and gRPC over HTTP/2, "Requests". */
const OURS =
  /^(?::.*|connection|content-length|content-type|grpc-.*|host|keep-alive|te|transfer-encoding|upgrade)$/i;

const object = z.strictObject(shape).superRefine((config, context) => {
  for (const name of Object.keys(config.headers)) {
    if (!OURS.test(name)) continue;
    context.addIssue({ code: 'custom', path: ['headers', name], message: 'set by the exporter itself' });
  }
  checkBody(config, context);
});

export const otlpGrpcSchema = sectionOf(object);
export type OtlpGrpcConfig = Readonly<z.output<typeof object>>;
