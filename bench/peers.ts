// `npm run bench:peers`: Holdfast and the OpenTelemetry Collector side by side in one run, into bench/RESULTS.md, charts and
// raw figures. Nothing in these files is typed by hand.

import fs from 'node:fs';
import { install } from './contestants/collector.ts';
import { readOptions } from './options.ts';
import { chart } from './report/chart.ts';
import { contestants, peersReport } from './report/peers.ts';
import { type Results, storeResults } from './results.ts';
import { writePart } from './results_file.ts';
import { metrics, scenarios } from './scenario.ts';
import { runSeries } from './series.ts';

const options = readOptions(
  `Usage: npm run bench:peers -- [options]

Measures Holdfast and the OpenTelemetry Collector in turn: the same requests, the same backend, the same work. Writes its part of
bench/RESULTS.md, the charts and the raw figures. Takes five minutes a round; wants a machine with nothing else to do.`,
  3,
  {
    dry: 'print the results instead of writing them',
    install: 'first build the Collector where it is missing (Go 1.24 or newer, minutes, once)',
  },
);
if (options.install && contestants.some((contestant) => contestant.missing())) install();
for (const contestant of contestants) {
  const reason = contestant.missing();
  if (reason === undefined) continue;
  console.error(reason);
  process.exit(1);
}
const results = await runSeries(options.scenarios, contestants, options.rounds);
const report = peersReport(results);
if (options.write) {
  storeResults('peers', results);
  writePart('peers', report);
  writeCharts(results);
} else console.log(report);
if (results.failures.length > 0) process.exitCode = 1;

function writeCharts(of: Results): void {
  const loads = scenarios.filter(({ kind }) => kind === 'load');
  const saturated = loads.filter(({ name }) => !name.startsWith('paced'));
  const charts = { cpu_s_per_million: ['cpu', loads], items_per_s: ['rate', saturated] } as const;
  fs.mkdirSync(new URL('charts', import.meta.url), { recursive: true });
  for (const [key, [file, shown]] of Object.entries(charts)) {
    const metric = metrics.load.find((each) => each.key === key)!;
    fs.writeFileSync(new URL(`charts/${file}.svg`, import.meta.url), chart(of, metric, shown, contestants));
  }
}
