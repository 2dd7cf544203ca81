// How severe a record is, from the names and numbers that loggers write (OpenTelemetry, "Logs Data Model", appendix B).
// Invariant: 0 where it is not known; the text is kept in any case.

import type { RouteConfig } from './config.ts';

type SeverityNumbers = NonNullable<RouteConfig['severity']>['numbers'];

const names: ReadonlyMap<string, number> = new Map([
  ['trace', 1],
  ['verbose', 1],
  ['debug', 5],
  ['info', 9],
  ['information', 9],
  ['informational', 9],
  ['log', 9],
  ['notice', 10],
  ['warn', 13],
  ['warning', 13],
  ['error', 17],
  ['err', 17],
  ['severe', 17],
  ['critical', 18],
  ['crit', 18],
  ['alert', 19],
  ['fatal', 21],
  ['panic', 21],
  ['emergency', 21],
  ['emerg', 21],
]);
/** Emergency to debug, as the syslog receiver has them. */
const ofSyslog = [21, 19, 18, 17, 13, 10, 9, 5];
const SEVERITY_MAX = 24;
const RANGE = 4;

export function severityOf(text: string, numbers: SeverityNumbers): number {
  if (/^\d{1,3}$/.test(text)) return numbered(Number(text), numbers);
  const lower = text.toLowerCase();
  const known = names.get(lower);
  if (known !== undefined) return known;
  // INFO2, ERROR4: the steps within a range.
  const step = /^(trace|debug|info|warn|error|fatal)([2-4])$/.exec(lower);
  return step ? names.get(step[1]!)! + Number(step[2]) - 1 : 0;
}

function numbered(number: number, numbers: SeverityNumbers): number {
  if (numbers === 'syslog') return ofSyslog[number] ?? 0;
  if (numbers === 'otlp') return number <= SEVERITY_MAX ? number : 0;
  // pino: 10 trace, 20 debug … 60 fatal; what lies between is a step of its range.
  const range = Math.floor(number / 10);
  if (range < 1 || range > 6) return 0;
  return (range - 1) * RANGE + 1 + Math.min(RANGE - 1, Math.floor((number % 10) / 2.5));
}
