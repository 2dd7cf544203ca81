// What a user may say about the HTTP receiver: one door, and routes with settings of their own.
// Invariant: without a word it listens on 127.0.0.1 alone, and a route that names a guard never opens without it.

import * as z from 'zod';
import { durationMs, listenAddress, secret, section, sectionOf } from '../../config/fields.ts';
import { httpDoor, urlPath, withTransport } from '../server/config.ts';

const headerName = () => z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'not a header name');

/** Where in a record a value is: `user.name`, or a list of keys where a key has a dot in it. */
const place = () =>
  z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .transform((path) => (typeof path === 'string' ? path.split('.') : path));

/** Where the value of the header stands in what is signed. */
export const TIMESTAMP = '{timestamp}';

const signature = section({
  header: headerName(),
  secret: secret(),
  algorithm: z.enum(['sha256', 'sha512', 'sha1']).default('sha256'),
  encoding: z.enum(['hex', 'base64']).default('hex'),
  /** Before the signature, such as `sha256=`. */
  prefix: z.string().default(''),
  /** When it was signed, so that what was overheard cannot be sent again later. */
  timestamp: section({
    /** Unix seconds. */
    header: headerName(),
    /** How far it may be from this clock, either way. */
    tolerance: durationMs({ min: 1000 }).prefault('5m'),
    /** What is signed before the body. */
    signed: z
      .string()
      .refine((text) => text.includes(TIMESTAMP), `without ${TIMESTAMP} the time could be changed`)
      .default(`${TIMESTAMP}.`),
  }).optional(),
});

const route = section({
  path: urlPath().default('/'),
  /** What a body is; `auto` goes by the Content-Type. */
  format: z.enum(['auto', 'json', 'ndjson', 'text', 'raw']).default('auto'),
  /** A body with a line or value that cannot be read is refused whole, or that part is kept as it came, marked. */
  malformed: z.enum(['refuse', 'keep']).default('refuse'),
  /** Instead of the receiver's. */
  auth: section({ authenticator: z.string().min(1) }).optional(),
  /** HMAC of the body as it arrives. */
  signature: signature.optional(),
  /** A header that must have this value. */
  required_header: section({ key: headerName(), value: secret() }).optional(),
  /** What becomes the body; the rest becomes attributes. Unset: the whole record is the body. */
  body: place().optional(),
  timestamp: section({
    path: place(),
    format: z.enum(['auto', 'rfc3339', 'unix_s', 'unix_ms', 'unix_us', 'unix_ns']).default('auto'),
  }).optional(),
  severity: section({
    path: place(),
    /** What numbers mean. */
    numbers: z.enum(['otlp', 'pino', 'syslog']).default('otlp'),
  }).optional(),
  trace_id: place().optional(),
  span_id: place().optional(),
  trace_flags: place().optional(),
  /** Name of a resource attribute → where it stands in a record. */
  resource_attributes: z.record(z.string().min(1), place()).default({}),
  /** Request headers that become attributes `http.request.header.<name>`. */
  headers: z.array(headerName()).default([]),
  /** Query parameters that become attributes `url.query.<name>`. */
  query: z.array(z.string().min(1)).default([]),
});

const receiver = z
  .strictObject({
    endpoint: listenAddress().prefault('127.0.0.1:8088'),
    ...httpDoor,
    health_path: urlPath().default('/health'),
    routes: z.array(route).min(1).prefault([{}]),
  })
  .superRefine(({ routes, health_path }, context) => {
    const taken = new Set([health_path]);
    for (const [index, { path }] of routes.entries()) {
      if (taken.has(path)) {
        context.addIssue({
          code: 'custom',
          path: ['routes', index, 'path'],
          message: 'this path is taken already',
        });
      }
      taken.add(path);
    }
  });

export const httpReceiverSchema = sectionOf(withTransport(receiver));
export const routeSchema = route;

export type HttpReceiverConfig = z.output<typeof receiver>;
export type RouteConfig = z.output<typeof route>;
export type BodyFormat = Exclude<RouteConfig['format'], 'auto'>;
