// `npm run bench:check`: whether Holdfast has become dearer beside the Collector than it was when bench:peers was last stored.
// Invariant: only ratios of one run are compared, so another machine is no regression.

import { collector } from './contestants/collector.ts';
import { holdfast } from './contestants/holdfast.ts';
import { show, spread } from './figures.ts';
import { readOptions } from './options.ts';
import { table } from './report/tables.ts';
import { advantage } from './report/targets.ts';
import { storedResults } from './results.ts';
import { runSeries } from './series.ts';

/** Medians of three rounds on a quiet machine differ by up to half of this from run to run. */
const TOLERANCE = 0.25;

const options = readOptions(
  `Usage: npm run bench:check -- [options]

Measures the scenarios that have a target again and compares how many times less CPU an item costs than in the Collector with the
ratios that bench:peers stored. Ends with 1 where one fell by more than ${TOLERANCE * 100} %.`,
  3,
  {},
);
const before = storedResults('peers');
const reason =
  before === undefined
    ? 'there is nothing to compare with: npm run bench:peers'
    : (collector.missing() ?? holdfast.missing());
if (before === undefined || reason !== undefined) {
  console.error(reason);
  process.exit(2);
}
const compared = options.scenarios.filter(({ target }) => target !== undefined);
const now = await runSeries(compared, [collector, holdfast], options.rounds);
let worse = now.failures.length > 0;
const rows = compared.map(({ name, title }) => {
  const [then, today] = [advantage(before, name, 'collector'), advantage(now, name, 'collector')];
  if (then.length === 0 || today.length === 0) return [title, '', '', 'not measured'];
  const kept = spread(today).median / spread(then).median;
  if (kept < 1 - TOLERANCE) worse = true;
  const verdict = kept < 1 - TOLERANCE ? '**worse**' : 'holds';
  return [title, `${show(then, 1)} ×`, `${show(today, 1)} ×`, `${verdict} (${Math.round(kept * 100)} %)`];
});
console.log(table(['', `stored ${before.date}`, 'now', ''], rows));
if (worse) process.exitCode = 1;
