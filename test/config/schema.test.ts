import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { deprecated, durationMs, secret, section, sizeBytes } from '../../config/fields.ts';
import { childrenOf, isOpaque, knownKeys, metaOf, schemasAt } from '../../config/schema.ts';

interface Tree {
  readonly key?: string | undefined;
  readonly child?: Tree | undefined;
}
const tree: z.ZodType<Tree> = z.lazy(() =>
  z.strictObject({ key: z.string().optional(), child: tree.optional() }),
);

const wrapped = section({
  plain: z.string(),
  nested: section({ deep: durationMs().prefault('1s') }).prefault({}),
  either: z.union([z.strictObject({ a: z.number() }), z.strictObject({ b: secret() })]),
  both: z.intersection(z.object({ left: z.number() }), z.object({ right: z.number() })),
  list: z.array(section({ item: sizeBytes() }).readonly()),
  pair: z.tuple([z.string(), secret()]),
  byName: z.record(z.string(), section({ value: z.number().nullable().default(1) })),
  anything: z.unknown(),
  open: z.object({}).catchall(durationMs()),
  tree,
})
  .refine(() => true)
  .optional();

describe('a schema asked from outside', () => {
  it('finds what rules a place through everything that can wrap it', () => {
    const kinds = (...path: (string | number)[]) => metaOf(schemasAt(wrapped, path)).kind;
    expect(kinds('nested')).toBe('section');
    expect(kinds('nested', 'deep')).toBe('duration');
    expect(kinds('list', 3, 'item')).toBe('size');
    expect(kinds('pair', 1)).toBe('secret');
    expect(kinds('open', 'whatever')).toBe('duration');
    expect(kinds('either', 'b')).toBe('secret');
    expect(schemasAt(wrapped, ['byName', 'x', 'value'])).toHaveLength(1);
    expect(schemasAt(wrapped, ['tree', 'child', 'child', 'key'])).toHaveLength(1);
    expect(schemasAt(wrapped, ['nope', 'x'])).toEqual([]);
  });

  it('knows the keys of all the maps that may stand there, and none of Object', () => {
    expect(knownKeys(schemasAt(wrapped, ['either']))).toEqual(expect.arrayContaining(['a', 'b']));
    expect(knownKeys(schemasAt(wrapped, ['both']))).toEqual(expect.arrayContaining(['left', 'right']));
    expect(knownKeys(schemasAt(wrapped, ['list']))).toEqual([]);
    expect(childrenOf(z.object({ a: z.number() }), 'toString')).toEqual([]);
    expect(childrenOf(z.object({ a: z.number() }), '__proto__')).toEqual([]);
  });

  it('may show only what can hold no secret, however deep, and nothing of what it does not know', () => {
    const opaque = (...path: (string | number)[]) => isOpaque(schemasAt(wrapped, path));
    expect(opaque('plain')).toBe(false);
    expect(opaque('nested')).toBe(false);
    expect(opaque('tree')).toBe(false);
    expect(opaque('either')).toBe(true);
    expect(opaque('pair')).toBe(true);
    expect(opaque('pair', 0)).toBe(false);
    expect(opaque('anything')).toBe(true);
    expect(opaque()).toBe(true);
    expect(opaque('nope')).toBe(true);
  });

  it('has what the outer layer says of a place win over what it wraps', () => {
    const old = deprecated(deprecated(durationMs(), 'inner'), 'outer').optional();
    expect(metaOf([old])).toMatchObject({ kind: 'duration', deprecated: 'outer' });
  });
});
