// Checks that every pipeline can be built: what it names is there, can carry its signal, and leads somewhere.

import { parseId } from '../../config/id.ts';
import { keysAt } from '../../config/source.ts';
import { type Signal, signals } from '../../otlp/signal.ts';
import type { Report } from './report.ts';
import type { PipelineConfig } from './service.ts';

/** What a pipeline needs to know of a component. */
export interface Named {
  readonly factory: { readonly signals: readonly Signal[] };
}

export interface CheckedPipeline {
  readonly id: string;
  readonly signal: Signal;
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

export interface Available {
  readonly receivers: ReadonlyMap<string, Named>;
  readonly exporters: ReadonlyMap<string, Named>;
  readonly processors: ReadonlyMap<string, unknown>;
}

const roles = ['receivers', 'processors', 'exporters'] as const;

/** @returns the pipelines without mistakes; the mistakes are in the report. */
export function checkPipelines(
  report: Report,
  pipelines: Readonly<Record<string, PipelineConfig>>,
  available: Available,
): CheckedPipeline[] {
  const base = ['service', 'pipelines'];
  const ids = Object.keys(pipelines);
  if (ids.length === 0) {
    report.error(base, 'no pipeline: nothing would be received', {
      expected: 'such as traces: {receivers: [otlp], exporters: [otlp_http]}',
    });
  }
  const checked: CheckedPipeline[] = [];
  for (const id of ids) {
    const signal = signalOf(report, [...base, id], id);
    const { receivers, processors, exporters } = pipelines[id]!;
    const names = { receivers, processors, exporters };
    for (const role of roles) checkNames(report, id, role, names[role], available, signal);
    if (receivers.length === 0) report.error([...base, id], 'a pipeline needs at least one receiver');
    if (exporters.length === 0) report.error([...base, id], 'a pipeline needs at least one exporter');
    if (signal) checked.push({ id, signal, receivers, processors, exporters });
  }
  warnUnused(report, checked);
  return checked;
}

function signalOf(report: Report, path: string[], id: string): Signal | undefined {
  const parsed = parseId(id);
  const type = parsed.ok ? parsed.value.type : '';
  const signal = signals.find((each) => each === type);
  if (!parsed.ok) report.error(path, parsed.reason);
  else if (type === 'profiles') report.error(path, 'profiles are not taken yet');
  else if (!signal) report.unknown(path, `a pipeline cannot carry ${JSON.stringify(type)}`, type, signals);
  return signal;
}

function checkNames(
  report: Report,
  pipeline: string,
  role: (typeof roles)[number],
  names: readonly string[],
  available: Available,
  signal: Signal | undefined,
): void {
  const known: ReadonlyMap<string, unknown> = available[role];
  for (const [index, name] of names.entries()) {
    const path = ['service', 'pipelines', pipeline, role, index];
    const component = known.get(name);
    // What is defined but wrong has a problem of its own already.
    const defined = keysAt(report.source, [role]);
    if (names.indexOf(name) !== index) report.error(path, `${JSON.stringify(name)} is named twice`);
    else if (component === undefined && !defined.includes(name)) {
      report.unknown(path, `no ${role.slice(0, -1)} ${JSON.stringify(name)} is configured`, name, defined);
    } else if (role !== 'processors' && signal && component) {
      const carried = (component as Named).factory.signals;
      if (!carried.includes(signal)) {
        report.error(path, `${JSON.stringify(name)} cannot carry ${signal}`, {
          expected: carried.join(', '),
        });
      }
    }
  }
}

function warnUnused(report: Report, pipelines: readonly CheckedPipeline[]): void {
  for (const role of roles) {
    const used = new Set(pipelines.flatMap((pipeline) => pipeline[role]));
    const defined = keysAt(report.source, [role]);
    // A misspelt name makes its component look unused; one problem for one mistake.
    if ([...used].some((id) => !defined.includes(id))) continue;
    for (const id of defined) {
      if (!used.has(id)) report.warn([role, id], 'no pipeline uses it, so it does nothing');
    }
  }
}
