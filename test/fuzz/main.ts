// The fuzzers as a program: `npm run fuzz -- --help`. Exit code 1 when a promise was broken; the input is then kept in the
// corpus, as small as it could be made.

import { parseArgs } from 'node:util';
import { keep, readCorpus } from './corpus.ts';
import { Driver } from './driver.ts';
import { parsers } from './parsers.ts';
import { type Result, writeResults } from './report.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    runs: { type: 'string', default: '20000' },
    parser: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  const lines = parsers.map(({ name, promise }) => `  ${name.padEnd(16)}${promise}`);
  console.log(`npm run fuzz -- [--seed N] [--runs N] [--parser NAME]…

--runs    mutated inputs of each parser, after its right ones and its corpus (default 20000)
--seed    default: from the clock; the same seed makes the same inputs

Parsers:
${lines.join('\n')}`);
  process.exit(0);
}

const seed = Number(values.seed);
const runs = Number(values.runs);
const unknown = values.parser.find((name) => !parsers.some((parser) => parser.name === name));
if (unknown !== undefined || !Number.isSafeInteger(seed) || !Number.isSafeInteger(runs)) {
  console.error(
    unknown === undefined ? '--seed and --runs are whole numbers' : `there is no parser ${unknown}`,
  );
  process.exit(2);
}
console.log(`seed ${seed}, ${runs} mutations each`);
const driver = new Driver();
const results: Result[] = [];
for (const parser of parsers) {
  const { name } = parser;
  if (values.parser.length > 0 && !values.parser.includes(name)) continue;
  const begun_ms = performance.now();
  const corpus = readCorpus(name);
  const found = await driver.fuzz(name, seed, runs, corpus);
  const { accepted, refused, failure } = found;
  results.push({ parser, found, corpus: corpus.length, seed });
  const rate = Math.round((1000 * (accepted + refused)) / (performance.now() - begun_ms));
  console.log(`${name.padEnd(16)} ${accepted} accepted, ${refused} refused, ${rate}/s`);
  if (!failure) continue;
  console.error(`${name} BROKEN by mutation ${failure.at}: ${failure.message}`);
  console.error(`kept: ${keep(name, failure.input, failure.message)}`);
  console.error(`again: npm run fuzz -- --parser ${name} --runs 0`);
  process.exitCode = 1;
}
await driver.close();
writeResults(results);
