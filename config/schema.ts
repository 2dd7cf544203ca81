// Questions to a zod schema from outside: which schemas rule a place, which keys are known there, may what stands there
// be shown. Where a schema cannot be looked into, the answer is the safe one.

import type * as z from 'zod';
import { type FieldMeta, fieldMeta } from './fields.ts';
import type { Path } from './node.ts';

type Schema = z.core.$ZodType;

/** This schema and everything that it wraps or chooses from, down to where keys begin. */
function layersOf(schema: Schema): readonly Schema[] {
  const layers = new Set<Schema>();
  const pending: Schema[] = [schema];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (layers.has(next)) continue;
    layers.add(next);
    pending.push(...wrappedBy(next));
  }
  return [...layers];
}

function wrappedBy(schema: Schema): readonly Schema[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
    case 'success':
    case 'promise':
      return [def.innerType];
    case 'lazy':
      // Not the getter itself: it makes a new schema each time, and a recursive one would have no end.
      return [(schema as z.core.$ZodLazy)._zod.innerType];
    case 'union':
      return def.options;
    case 'intersection':
      return [def.left, def.right];
    case 'pipe':
      // What a file holds is ruled by the entrance, unless that is a function (z.preprocess).
      return [(def.in as z.core.$ZodTypes)._zod.def.type === 'transform' ? def.out : def.in];
    default:
      return [];
  }
}

/** The schemas that rule what stands under `key`. None: the schema does not know the key, or cannot be looked into. */
export function childrenOf(schema: Schema, key: string | number): readonly Schema[] {
  const children: Schema[] = [];
  for (const layer of layersOf(schema)) {
    const { def } = (layer as z.core.$ZodTypes)._zod;
    if (def.type === 'object') {
      const child = Object.hasOwn(def.shape, key) ? def.shape[key] : def.catchall;
      if (child !== undefined && !isNever(child)) children.push(child);
    } else if (def.type === 'record') {
      children.push(def.valueType);
    } else if (def.type === 'array') {
      children.push(def.element);
    } else if (def.type === 'tuple') {
      const child = def.items[Number(key)] ?? def.rest;
      if (child !== null && child !== undefined) children.push(child);
    }
  }
  return children;
}

/** What a strict object says of the keys that it does not know. */
function isNever(schema: Schema): boolean {
  return (schema as z.core.$ZodTypes)._zod.def.type === 'never';
}

/** The schemas that rule the place `path` steps below `schema`. */
export function schemasAt(schema: Schema, path: Path): readonly Schema[] {
  let schemas: readonly Schema[] = [schema];
  for (const key of path) schemas = schemas.flatMap((parent) => childrenOf(parent, key));
  return schemas;
}

/** Keys that an object there may have. */
export function knownKeys(schemas: readonly Schema[]): readonly string[] {
  const keys = new Set<string>();
  for (const layer of schemas.flatMap(layersOf)) {
    const { def } = (layer as z.core.$ZodTypes)._zod;
    if (def.type !== 'object') continue;
    for (const key of Object.keys(def.shape)) keys.add(key);
  }
  return [...keys];
}

/** What this folder's fields said of themselves; the outer layer wins over what it wraps. */
export function metaOf(schemas: readonly Schema[]): FieldMeta {
  let meta: FieldMeta = {};
  for (const layer of schemas.flatMap(layersOf)) {
    const found = fieldMeta.get(layer as z.ZodType);
    if (found !== undefined) meta = { ...found, ...meta };
  }
  return meta;
}

/** What may be written there, in the words of every field that it may be. */
export function expectationsOf(schemas: readonly Schema[]): readonly string[] {
  const words = new Set<string>();
  for (const layer of schemas.flatMap(layersOf)) {
    const expected = fieldMeta.get(layer as z.ZodType)?.expected;
    if (expected !== undefined) words.add(expected);
  }
  return [...words];
}

/** True if what stands there may be, or may hold, what must not be shown; also when nothing is known of the place. */
export function isOpaque(schemas: readonly Schema[]): boolean {
  return schemas.length === 0 || schemas.some((schema) => holdsOpaque(schema, new Set()));
}

function holdsOpaque(schema: Schema, seen: Set<Schema>): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  for (const layer of layersOf(schema)) {
    if (fieldMeta.get(layer as z.ZodType)?.opaque === true) return true;
    const { def } = (layer as z.core.$ZodTypes)._zod;
    // A place for anything is a place for secrets too.
    if (def.type === 'unknown' || def.type === 'any' || def.type === 'custom') return true;
    let inner: readonly (Schema | null | undefined)[] = [];
    if (def.type === 'object') inner = [...Object.values(def.shape), def.catchall];
    else if (def.type === 'record') inner = [def.valueType];
    else if (def.type === 'array') inner = [def.element];
    else if (def.type === 'tuple') inner = [...def.items, def.rest];
    if (inner.some((child) => child !== null && child !== undefined && holdsOpaque(child, seen))) return true;
  }
  return false;
}
