// The zod building blocks that components make their schemas of. Each field says in `fieldMeta` what it expects and
// whether its value may be shown; no message of theirs repeats a value.

import * as z from 'zod';
import { formatDuration, parseDuration } from './duration.ts';
import { type Address, parseAddress, parseGrpcTarget, parseHttpUrl } from './endpoint.ts';
import { type Parsed, parsed, unparsed } from './parsed.ts';
import { Secret } from './secret.ts';
import { formatSize, parseSize } from './size.ts';

export interface FieldMeta {
  readonly kind?: 'duration' | 'size' | 'address' | 'url' | 'secret' | 'section';
  /** What a user should write, with an example. */
  readonly expected?: string;
  /** A value here is never shown, right or wrong. */
  readonly opaque?: boolean;
  /** What to write instead. The key still works, with a warning. */
  readonly deprecated?: string;
}

/** What this folder knows of a schema beyond zod. Schemas derived by `.refine()` and the like inherit it. */
export const fieldMeta = z.registry<FieldMeta>();

export interface Limits {
  readonly min?: number;
  readonly max?: number;
}

function within(value: number, limits: Limits, format: (value: number) => string): Parsed<number> {
  if (limits.min !== undefined && value < limits.min)
    return unparsed(`must be at least ${format(limits.min)}`);
  if (limits.max !== undefined && value > limits.max)
    return unparsed(`must be at most ${format(limits.max)}`);
  return parsed(value);
}

/**
 * A duration in milliseconds. Defaults: `.default(10_000)` or, in words, `.prefault('10s')`. Limits are milliseconds.
 * A bare number other than 0 is refused: the Collector would read it as nanoseconds, most people as seconds.
 */
export function durationMs(limits: Limits = {}): z.ZodType<number, string | number> {
  return parsedField({ kind: 'duration', expected: 'a duration such as 10s, 500ms or 1m30s' }, (input) => {
    const duration = parseDuration(String(input));
    return duration.ok ? within(duration.value, limits, formatDuration) : duration;
  });
}

/** A size in bytes. Defaults: `.default(65_536)` or `.prefault('64KiB')`. Limits are bytes. */
export function sizeBytes(limits: Limits = {}): z.ZodType<number, string | number> {
  return parsedField(
    { kind: 'size', expected: 'a size such as 64MiB, 10MB or a number of bytes' },
    (input) => {
      const size = parseSize(input);
      return size.ok ? within(size.value, limits, formatSize) : size;
    },
  );
}

/** Where to listen: host:port (port 0 = any free one), `:port` for every interface, or unix:/path. */
export function listenAddress(): z.ZodType<Address, string> {
  return parsedText({ kind: 'address', expected: 'host:port, [IPv6]:port, :port or unix:/path' }, (text) =>
    parseAddress(text),
  );
}

/** Where a gRPC client connects to, given back as the text it was: `parseGrpcTarget` takes it apart. */
export function grpcTarget(): z.ZodType<string, string> {
  return parsedText({ expected: 'host:port, https://host:port or unix:/path' }, (text) => {
    const target = parseGrpcTarget(text);
    return target.ok ? parsed(text) : target;
  });
}

/** An http(s) URL, given back as text without trailing slashes. Not shown in errors: it may hold a token. */
export function httpUrl(): z.ZodType<string, string> {
  return parsedText({ kind: 'url', expected: 'a URL such as https://host:4318', opaque: true }, parseHttpUrl);
}

/** An opaque, non-empty text. Empty is refused because what is guarded by it would stand open. */
export function secret(): z.ZodType<Secret, string> {
  return parsedText({ kind: 'secret', expected: 'a secret, as text', opaque: true }, (text) =>
    text === '' ? unparsed('a secret must not be empty') : parsed(new Secret(text)),
  );
}

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** HTTP headers or gRPC metadata to send. The values are secrets, as in the Collector; they may be empty. */
export function headers(): z.ZodType<Record<string, Secret>, Record<string, string>> {
  const name = z.string().regex(headerName, 'not a header name');
  const value = parsedText({ kind: 'secret', expected: 'a header value, as text', opaque: true }, (text) =>
    // A line break would let a value add headers of its own.
    /[\r\n\0]/.test(text) ? unparsed('a header value has no line breaks') : parsed(new Secret(text)),
  );
  return z.record(name, value);
}

/** A path in the file system. Nothing is opened. */
export function filePath(): z.ZodType<string, string> {
  return parsedText({ expected: 'a path' }, (text) => {
    if (text === '') return unparsed('a path must not be empty');
    return text.includes('\0') ? unparsed('a path cannot hold a NUL') : parsed(text);
  });
}

/**
 * A map with exactly these keys. `key:` without a value is an empty map, as in the Collector (`protocols: {grpc:, http:}`):
 * all its defaults. `.optional()` tells "absent" from "there, but empty"; `.prefault({})` makes absent mean all defaults.
 */
export function section<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodType<z.output<z.ZodObject<Shape, z.core.$strict>>, unknown> {
  return sectionOf(z.strictObject(shape));
}

/** `section` around a schema that is already made, such as an object with refinements. */
export function sectionOf<Output>(schema: z.ZodType<Output>): z.ZodType<Output, unknown> {
  const filled = z.preprocess((value) => (value === null ? {} : value), schema);
  fieldMeta.add(filled, { kind: 'section' });
  return filled;
}

/** The same field; where a file uses it there is a warning that says what to write instead. */
export function deprecated<Schema extends z.ZodType>(schema: Schema, instead: string): Schema {
  const copy = schema.clone(undefined, { parent: true });
  fieldMeta.add(copy, { deprecated: instead });
  return copy;
}

function parsedField<T>(
  meta: FieldMeta,
  parse: (input: string | number) => Parsed<T>,
): z.ZodType<T, string | number> {
  return withMeta(z.union([z.string(), z.number()]).transform(transformer(parse)), meta);
}

function parsedText<T>(meta: FieldMeta, parse: (input: string) => Parsed<T>): z.ZodType<T, string> {
  return withMeta(z.string().transform(transformer(parse)), meta);
}

function withMeta<Schema extends z.ZodType>(schema: Schema, meta: FieldMeta): Schema {
  fieldMeta.add(schema, meta);
  return schema;
}

function transformer<Input, T>(parse: (input: Input) => Parsed<T>) {
  return (input: Input, context: z.core.$RefinementCtx): T => {
    const outcome = parse(input);
    if (outcome.ok) return outcome.value;
    context.issues.push({ code: 'custom', message: outcome.reason, input });
    return z.NEVER;
  };
}
