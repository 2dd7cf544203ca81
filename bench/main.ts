// `npm run bench`: measures Holdfast's own figures, round by round, and writes its part of bench/RESULTS.md. Nothing in that
// file is typed by hand.

import { holdfast } from './contestants/holdfast.ts';
import { readOptions } from './options.ts';
import { agentReport } from './report/agent.ts';
import { storeResults } from './results.ts';
import { writePart } from './results_file.ts';
import { runSeries } from './series.ts';

const options = readOptions(
  `Usage: npm run bench -- [options]

Measures OTLP in → fsynced on disk → OTLP/HTTP out and writes its part of bench/RESULTS.md.
Takes six minutes.`,
  5,
  { dry: 'print the results instead of writing them' },
);
const results = await runSeries(options.scenarios, [holdfast], options.rounds);
const report = agentReport(results);
if (options.write) {
  storeResults('agent', results);
  writePart('agent', report);
} else console.log(report);
if (results.failures.length > 0) process.exitCode = 1;
