// `npm run bench:peers`: Holdfast beside the OpenTelemetry Collector, and beside rsyslog for syslog in one run, into bench/RESULTS.md, charts and
// raw figures. Nothing in these files is typed by hand.

import fs from 'node:fs';
import { collector, install } from './contestants/collector.ts';
import { holdfast } from './contestants/holdfast.ts';
import { readOptions } from './options.ts';
import { chart } from './report/chart.ts';
import { contestants, peersReport } from './report/peers.ts';
import { type Results, storedResults, storeResults } from './results.ts';
import { writePart } from './results_file.ts';
import { metrics, scenarios } from './scenario.ts';
import { runSeries } from './series.ts';

const options = readOptions(
  `Usage: npm run bench:peers -- [options]

Measures Holdfast and the OpenTelemetry Collector in turn: the same requests, the same backend, the same work; for syslog Holdfast
and rsyslog with its queue on disk (left out where it is not installed: apt-get install rsyslog rsyslog-openssl rsyslog-gnutls).
Writes its part of bench/RESULTS.md, the charts and the raw figures. Wants a machine with nothing else to do.

A round takes nine minutes: six for the load, half a minute for each backlog, two for syslog, most of that for rsyslog with its
queue synced. The first takes four more, for the backlog of ten million spans, which is measured once. Three rounds: half an hour.`,
  3,
  {
    dry: 'print the results instead of writing them',
    stored: 'make the report and the charts anew from the raw figures, and measure nothing',
    install: 'first build the Collector where it is missing (Go 1.24 or newer, minutes, once)',
  },
);
const before = options.stored ? storedResults('peers') : undefined;
if (options.stored && before === undefined) {
  console.error('nothing is stored yet');
  process.exit(2);
}
const results = before ?? (await run());
const report = peersReport(results);
if (options.write) {
  storeResults('peers', results);
  writePart('peers', report);
  writeCharts(results);
} else console.log(report);
if (results.failures.length > 0) process.exitCode = 1;

async function run(): Promise<Results> {
  if (options.install && collector.missing()) install();
  const missing = contestants.filter((contestant) => contestant.missing() !== undefined);
  for (const { title, missing: reason } of missing) console.error(`${title} is left out: ${reason()}`);
  if (missing.includes(holdfast) || missing.includes(collector)) process.exit(1);
  const present = contestants.filter((contestant) => !missing.includes(contestant));
  return await runSeries(options.scenarios, present, options.rounds);
}

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
