// The extensions of this build: health_check is served, file_storage says where the log lives, bearertokenauth and basicauth
// say who may send to a receiver that names them. Invariant: a guard without anything to check for is an error.

import { z } from 'zod';
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

const bearerToken = z
  .strictObject({
    header: z.string().regex(headerName, 'not a header name').default('Authorization'),
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

const basic = z.strictObject({
  htpasswd: sectionOf(
    z
      .strictObject({
        /** Read again while the agent runs. */
        file: filePath().optional(),
        inline: secret().optional(),
      })
      .superRefine(({ file, inline }, context) => {
        if (file === undefined && inline === undefined) {
          context.addIssue({ code: 'custom', message: 'no users: file or inline is needed' });
        }
      }),
  ),
});

/** The Collector's basicauth, its side for servers. */
export const basicAuthSchema = sectionOf(basic);
export type BasicAuthConfig = z.output<typeof basic>;

/** A guard at the doors of receivers, as its extension describes it. */
export type AuthenticatorConfig =
  | { readonly id: string; readonly kind: 'bearer'; readonly config: BearerTokenConfig }
  | { readonly id: string; readonly kind: 'basic'; readonly config: BasicAuthConfig };
