// The extensions of this build: health_check is served, file_storage says where the log lives, bearertokenauth and basicauth
// say who may send to a receiver that names them, and who an exporter says it is, as headers_setter does. Invariant: one
// without anything to check for, or to show, is an error.

import * as z from 'zod';
import { deprecated, filePath, listenAddress, secret, section, sectionOf } from '../../config/fields.ts';

export const healthCheckSchema = section({
  endpoint: listenAddress().prefault('127.0.0.1:13133'),
  path: z
    .string()
    .regex(/^\/[^\s?#]*$/, 'a path that begins with /')
    .default('/'),
  check_collector_pipeline: deprecated(
    z.unknown().optional(),
    'nothing: the answer follows the shards themselves',
  ),
});
export type HealthCheckConfig = z.output<typeof healthCheckSchema>;

/** The Collector's keys; only the directory means something here. */
export const fileStorageSchema = section({
  directory: filePath().default('/var/lib/otelcol/file_storage'),
  timeout: z.unknown().optional(),
  compaction: z.unknown().optional(),
  fsync: z.unknown().optional(),
  create_directory: z.unknown().optional(),
  directory_permissions: z.unknown().optional(),
  recreate: z.unknown().optional(),
});

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What the body is and how the connection is kept: of HTTP and of gRPC. */
const framing =
  /^(?:connection|content-.*|expect|grpc-.*|host|keep-alive|te|trailer|transfer-encoding|upgrade)$/i;

function credentialHeader() {
  return z
    .string()
    .regex(headerName, 'not a header name')
    .refine((name) => !framing.test(name), 'set by the exporters themselves');
}

const bearerToken = z
  .strictObject({
    header: credentialHeader().default('Authorization'),
    /** Before the token; empty: the header is the token. */
    scheme: z.string().regex(/^\S*$/, 'one word').default('Bearer'),
    token: secret().optional(),
    tokens: z.array(secret()).default([]),
    /** One token a line; read again while the agent runs. It wins over the others, as in the Collector. */
    filename: filePath().optional(),
  })
  .superRefine(({ token, tokens, filename }, context) => {
    if (token === undefined && tokens.length === 0 && filename === undefined) {
      context.addIssue({ code: 'custom', message: 'no token: token, tokens or filename is needed' });
    }
  });

/** The Collector's bearertokenauth. */
export const bearerTokenAuthSchema = sectionOf(bearerToken);
export type BearerTokenConfig = z.output<typeof bearerToken>;

const htpasswd = z
  .strictObject({
    /** Read again while the agent runs. */
    file: filePath().optional(),
    inline: secret().optional(),
  })
  .superRefine(({ file, inline }, context) => {
    if (file === undefined && inline === undefined) {
      context.addIssue({ code: 'custom', message: 'no users: file or inline is needed' });
    }
  });
export type HtpasswdConfig = z.output<typeof htpasswd>;

const basicClient = z
  .strictObject({
    username: z
      .string()
      .regex(/^[^:]+$/, 'a user without a colon')
      .optional(),
    /** The first line; read again while the agent runs. Each file wins over the key without `_file`. */
    username_file: filePath().optional(),
    password: secret().optional(),
    password_file: filePath().optional(),
  })
  .superRefine(({ username, username_file, password, password_file }, context) => {
    if (username === undefined && username_file === undefined) {
      context.addIssue({ code: 'custom', message: 'no user: username or username_file is needed' });
    }
    if (password === undefined && password_file === undefined) {
      context.addIssue({ code: 'custom', message: 'no password: password or password_file is needed' });
    }
  });
export type BasicClientConfig = z.output<typeof basicClient>;

const basic = z
  .strictObject({
    /** Whom receivers let in. */
    htpasswd: sectionOf(htpasswd).optional(),
    /** Who exporters say they are. */
    client_auth: sectionOf(basicClient).optional(),
  })
  .superRefine(({ htpasswd: server, client_auth }, context) => {
    if ((server === undefined) === (client_auth === undefined)) {
      const message = 'one of htpasswd, for receivers, and client_auth, for exporters, is needed';
      context.addIssue({ code: 'custom', message });
    }
  });

/** The Collector's basicauth. */
export const basicAuthSchema = sectionOf(basic);

const setHeader = z
  .strictObject({
    key: credentialHeader(),
    /** The others of the Collector ask for headers of the request that came in, which is long answered. */
    action: z.literal('upsert').default('upsert'),
    value: secret().optional(),
    /** The first line; read again while the agent runs. */
    value_file: filePath().optional(),
  })
  .superRefine(({ value, value_file }, context) => {
    if ((value === undefined) === (value_file === undefined)) {
      context.addIssue({ code: 'custom', message: 'one of value and value_file is needed' });
    }
  });

const headersSetter = z.strictObject({ headers: z.array(setHeader).min(1) });

/** The Collector's headers_setter, as far as values come from the configuration or from files. */
export const headersSetterSchema = sectionOf(headersSetter);
export type HeadersSetterConfig = z.output<typeof headersSetter>;

/** Who may come, at the doors of receivers, and who exporters say they are, as an extension describes it. */
export type AuthenticatorConfig =
  | { readonly id: string; readonly kind: 'bearer'; readonly config: BearerTokenConfig }
  | { readonly id: string; readonly kind: 'basic'; readonly config: HtpasswdConfig }
  | { readonly id: string; readonly kind: 'basic_client'; readonly config: BasicClientConfig }
  | { readonly id: string; readonly kind: 'headers'; readonly config: HeadersSetterConfig };
