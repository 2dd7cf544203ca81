// An effective configuration → what may be printed: secrets as `[redacted]`, durations, sizes and addresses as a user
// would write them. Without a schema numbers stay numbers; secrets never stay.

import type * as z from 'zod';
import { formatDuration } from './duration.ts';
import { type Address, formatAddress } from './endpoint.ts';
import { childrenOf, metaOf } from './schema.ts';
import { redacted, Secret } from './secret.ts';
import { formatSize } from './size.ts';

/** Plain data; `schema` is the one that made `value`. */
export function redact(value: unknown, schema?: z.ZodType): unknown {
  return redactBy(value, schema === undefined ? [] : [schema]);
}

function redactBy(value: unknown, schemas: readonly z.core.$ZodType[]): unknown {
  if (value instanceof Secret) return redacted;
  const { kind, opaque } = metaOf(schemas);
  if (kind === 'duration' && typeof value === 'number') return formatDuration(value);
  if (kind === 'size' && typeof value === 'number') return formatSize(value);
  if (kind === 'address' && isAddress(value)) return formatAddress(value);
  // A token in the query of a URL is common enough.
  if (kind === 'url' && typeof value === 'string') return value.replace(/\?.*$/s, `?${redacted}`);
  if (opaque === true && typeof value === 'string') return redacted;
  if (Array.isArray(value)) return value.map((item, index) => redactBy(item, inside(schemas, index)));
  if (typeof value !== 'object' || value === null) return value;
  const shown: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) shown[key] = redactBy(item, inside(schemas, key));
  }
  return shown;
}

function inside(schemas: readonly z.core.$ZodType[], key: string | number): readonly z.core.$ZodType[] {
  return schemas.flatMap((schema) => childrenOf(schema, key));
}

function isAddress(value: unknown): value is Address {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    (value.kind === 'tcp' || value.kind === 'unix')
  );
}
