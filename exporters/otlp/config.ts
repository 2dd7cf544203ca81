// What a user may say of an OTLP exporter's credentials and of the bodies that it sends, the same over HTTP and gRPC.

import * as z from 'zod';
import { section } from '../../config/fields.ts';
import type { CredentialsReference } from '../credentials.ts';
import type { BodyForm, Compression, Encoding } from './body.ts';

export const FAILOVERS_MAX = 16;

/** 1 costs a third of 6 and sends about a tenth more. */
const GZIP_LEVEL_DEFAULT = 1;
const GZIP_LEVEL_MAX = 9;
const ZSTD_LEVEL_DEFAULT = 1;
const ZSTD_LEVEL_MAX = 22;

/** Who we say we are: the id of an extension, such as `bearertokenauth`, `basicauth/cloud` or `headers_setter`. */
export const authShape = {
  auth: section({ authenticator: z.string().min(1) }).optional(),
};

export function credentialsIn({ auth }: AuthSection): CredentialsReference[] {
  return auth === undefined ? [] : [{ path: ['auth', 'authenticator'], id: auth.authenticator }];
}

export const bodyShape = {
  /** An empty text is the Collector's other word for none. */
  compression: z.enum(['gzip', 'zstd', 'none', '']).default('gzip'),
  compression_params: section({
    /** Default 1. gzip: 1 to 9; zstd: 1 to 22. */
    level: z.int().min(1).max(ZSTD_LEVEL_MAX).optional(),
  }).prefault({}),
};

type AuthSection = z.output<z.ZodObject<typeof authShape>>;
type BodySection = z.output<z.ZodObject<typeof bodyShape>>;

export function checkBody({ compression, compression_params }: BodySection, context: z.RefinementCtx): void {
  if (compression !== 'gzip' || (compression_params.level ?? 0) <= GZIP_LEVEL_MAX) return;
  context.addIssue({
    code: 'custom',
    path: ['compression_params', 'level'],
    message: `gzip knows levels up to ${GZIP_LEVEL_MAX}`,
  });
}

export function bodyFormOf(section: BodySection, encoding: Encoding): BodyForm {
  const compression: Compression = section.compression === '' ? 'none' : section.compression;
  const level =
    section.compression_params.level ?? (compression === 'zstd' ? ZSTD_LEVEL_DEFAULT : GZIP_LEVEL_DEFAULT);
  return { encoding, compression, level };
}
