// `npm run conformance`: runs every test whose name says which line of OTLP it holds, and writes docs/otlp-conformance.md from
// what came of them. Ends with 1 where a line is not held.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DOCUMENT, render, shortOf, type TestResult } from './document.ts';
import { namedTests, root } from './named_tests.ts';

/** What is used of jest's --json. */
interface JestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

const tests = namedTests();
const results = run([...new Set(tests.map(({ file }) => file))]);
mkdirSync(path.join(root, path.dirname(DOCUMENT)), { recursive: true });
writeFileSync(path.join(root, DOCUMENT), render(tests, results));
const short = shortOf(tests, results);
console.log(short.length === 0 ? `${DOCUMENT}: every line holds` : `not held: ${short.join(', ')}`);
process.exitCode = short.length === 0 ? 0 : 1;

function run(files: readonly string[]): TestResult[] {
  const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-conformance-'));
  try {
    const report = path.join(directory, 'report.json');
    const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
    const jest = [...options, 'node_modules/jest/bin/jest.js', '--json', `--outputFile=${report}`];
    // Whether tests failed stands in the report.
    spawnSync(process.execPath, [...jest, '--runTestsByPath', ...files], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return resultsOf(JSON.parse(readFileSync(report, 'utf8')) as JestReport);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function resultsOf(report: JestReport): TestResult[] {
  return report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status }) => ({
      file: path.relative(root, name).split(path.sep).join('/'),
      names: [...ancestorTitles, title],
      passed: status === 'passed',
    })),
  );
}
