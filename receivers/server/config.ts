// What a user may say about the server of a receiver: where it listens, who may come, how much and how long. The keys are the
// Collector's where it has them. Each receiver spreads the shapes into its own section and adds its endpoint.

import * as z from 'zod';
import type { Address } from '../../config/endpoint.ts';
import { durationMs, section, sectionOf, sizeBytes } from '../../config/fields.ts';
import { serverTlsSchema } from '../../config/tls.ts';

const MIB = 2 ** 20;
/** Larger messages cannot be stored as one entry, nor would any backend take them. */
export const BODY_MIB_MAX = 1024;

/** Where on a server something is. */
export const urlPath = () =>
  z.string().regex(/^\/[^\s?#]*$/, 'a path that begins with / and has no query, such as /v1/traces');

/** Connections beyond it are closed as they come. */
const maxConnections = () => z.number().int().min(1).max(100_000).default(1000);

/** Permissions of a unix socket, in octal digits: who may connect. */
const socketMode = () =>
  z
    .string()
    .regex(/^0?[0-7]{3}$/, 'octal permissions such as "0660"')
    .default('0600');

/** What every server is told of where they listen and who may come. */
export const door = {
  /** The Collector's key. Without it the address says which it is; `unix` lets the address be a bare path. */
  transport: z.enum(['tcp', 'tcp4', 'tcp6', 'unix']).optional(),
  socket_mode: socketMode(),
  max_connections: maxConnections(),
  tls: sectionOf(serverTlsSchema).optional(),
  /** The id of the extension that says who may come: `bearertokenauth`, `basicauth/edge`. */
  auth: section({ authenticator: z.string().min(1) }).optional(),
};

const cors = section({
  /** With one `*` at most in each. */
  allowed_origins: z.array(z.string().regex(/^[^*]+$|^[^*]*\*[^*]*$/, 'one * at most')).default([]),
  /** Beyond those that every browser may send; `*` is all. */
  allowed_headers: z.array(z.string().min(1)).default([]),
  /** How long a browser remembers the answer, seconds; 0: as it likes. */
  max_age: z.number().int().min(0).default(0),
});

/** The Collector writes `transport: unix, endpoint: /run/otlp.sock`. */
export function withTransport<Output>(schema: z.ZodType<Output>): z.ZodType<Output, unknown> {
  return sectionOf(
    z.preprocess((value) => {
      const { transport, endpoint } = (value ?? {}) as { transport?: unknown; endpoint?: unknown };
      const bare = transport === 'unix' && typeof endpoint === 'string' && !endpoint.startsWith('unix:');
      return bare ? { ...(value as object), endpoint: `unix:${endpoint}` } : value;
    }, schema),
  );
}

/** A door over HTTP. */
export const httpDoor = {
  ...door,
  /** A body may have this many bytes, before and after decompression. */
  max_request_body_size: sizeBytes({ min: 1024, max: BODY_MIB_MAX * MIB }).prefault('64MiB'),
  /** Browsers of which pages may send; unset: of none. */
  cors: cors.optional(),
  /** All headers must have come by then. */
  read_header_timeout: durationMs({ min: 100 }).prefault('10s'),
  /** Headers and body must have come by then. */
  read_timeout: durationMs({ min: 100 }).prefault('60s'),
  /** A connection without a request is closed after it. */
  idle_timeout: durationMs({ min: 100 }).prefault('65s'),
};

export type CorsConfig = z.output<typeof cors>;
/** What the server itself reads of it. */
export type HttpServerConfig = { readonly endpoint: Address } & Readonly<
  Omit<z.output<z.ZodObject<typeof httpDoor>>, 'transport' | 'auth'>
>;
