// `npm run bench:check`: whether Holdfast has become dearer beside the Collector than it was when bench:peers was last stored.
// Invariant: it ends with 1 exactly where a scenario is named as worse or failed.

import { collector } from './contestants/collector.ts';
import { holdfast } from './contestants/holdfast.ts';
import { readOptions } from './options.ts';
import { checkTable, compareRuns, isRegression, TOLERANCE } from './report/check.ts';
import { storedResults } from './results.ts';
import { runSeries } from './series.ts';

/** Above it the figures are those of others too. */
const QUIET_LOAD = 2;

const options = readOptions(
  `Usage: npm run bench:check -- [options]

Measures the scenarios that have a target, and the cold drain, and compares how many times less CPU an item costs than in the
Collector with the ratios that bench:peers stored (bench/results/peers.json). Ends with 1, and names the scenario, where one lost
more than ${TOLERANCE * 100} % of its advantage; two runs on a quiet machine differ by less than 15 %. Five minutes a round.`,
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
const compared = options.scenarios.filter(({ name, target }) => target !== undefined || name === 'backlog');
const now = await runSeries(compared, [collector, holdfast], options.rounds);
if (now.loadAverage > QUIET_LOAD) {
  console.error(`the load average was ${now.loadAverage.toFixed(1)}: on a busy machine this says little`);
}
const comparisons = compareRuns(before, now, compared);
console.log(checkTable(comparisons, before.date));
for (const comparison of comparisons.filter(isRegression)) {
  console.error(`${comparison.verdict}: ${comparison.name}`);
  process.exitCode = 1;
}
