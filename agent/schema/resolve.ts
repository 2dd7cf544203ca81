// Finds the component that a configured id means, and checks its own part of the file against its own schema.
// Invariant: every id becomes a stream or group name by one rule, and what the rule cannot name is refused here.

import { formatId, parseId } from '../../config/id.ts';
import { keysAt } from '../../config/source.ts';
import type { ExporterFactory } from '../../exporters/exporter.ts';
import type { ReceiverFactory } from '../../receivers/receiver.ts';
import type { Report } from './report.ts';

export interface Resolved<Factory> {
  readonly id: string;
  /** The id with the type's own name: aliases of one component are one component. */
  readonly canonicalId: string;
  readonly factory: Factory;
  /** Undefined when its part of the file has errors. */
  readonly config: unknown;
}

const part = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Every component of one section, used or not, so that a mistake in an unused one is told too. */
export function resolveSection<Factory extends ReceiverFactory | ExporterFactory>(
  report: Report,
  section: 'receivers' | 'exporters',
  factories: readonly Factory[],
): ReadonlyMap<string, Resolved<Factory>> {
  const found = new Map<string, Resolved<Factory>>();
  const canonical = new Map<string, string>();
  for (const id of keysAt(report.source, [section])) {
    const resolved = resolveOne(report, section, id, factories);
    if (!resolved) continue;
    const twin = canonical.get(resolved.canonicalId);
    if (twin !== undefined) {
      report.error([section, id], `the same as ${JSON.stringify(twin)} under another name of its type`);
    }
    canonical.set(resolved.canonicalId, id);
    found.set(id, resolved);
  }
  return found;
}

function resolveOne<Factory extends ReceiverFactory | ExporterFactory>(
  report: Report,
  section: 'receivers' | 'exporters',
  id: string,
  factories: readonly Factory[],
): Resolved<Factory> | undefined {
  const path = [section, id];
  const parsed = parseId(id);
  if (!parsed.ok) {
    report.error(path, parsed.reason);
    return undefined;
  }
  const { type, name } = parsed.value;
  const factory = factories.find((each) => each.type === type || each.aliases?.includes(type));
  if (!factory) {
    const kind = section === 'receivers' ? 'receiver' : 'exporter';
    report.unknown(path, `no ${kind} has the type ${JSON.stringify(type)}`, type, namesOf(factories));
    return undefined;
  }
  if (name !== undefined && !part.test(name)) {
    report.error(path, `the name ${JSON.stringify(name)} cannot be part of a stream's name`, {
      expected: 'small letters, digits, _ and -, 64 at most, a letter or digit first',
    });
    return undefined;
  }
  if (type !== factory.type) report.note(`${section}.${id}: ${type} is read as ${factory.type}`);
  const config = report.read(path, factory.schema);
  return { id, canonicalId: formatId({ type: factory.type, name }), factory, config };
}

function namesOf(factories: readonly (ReceiverFactory | ExporterFactory)[]): string[] {
  return factories.flatMap((factory) => [factory.type, ...(factory.aliases ?? [])]);
}

/** `traces`, `otlp/edge` → `traces.otlp.edge` */
export function streamName(head: string, canonicalId: string): string {
  return `${head}.${canonicalId.replace('/', '.')}`;
}
