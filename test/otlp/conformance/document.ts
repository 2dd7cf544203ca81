// docs/otlp-conformance.md: each line of OTLP, the tests that hold it, and how many of them passed. Pure: results in, text out.

import { isFilledIn, type NamedTest } from './named_tests.ts';
import { type Requirement, requirements } from './requirements.ts';

/** One test of a run, as jest reports it. */
export interface TestResult {
  readonly file: string;
  /** Of the groups around it, outermost first, and its own. */
  readonly names: readonly string[];
  readonly passed: boolean;
}

export interface Tally {
  readonly passed: number;
  readonly total: number;
}

type Tallies = ReadonlyMap<NamedTest, Tally>;

export const DOCUMENT = 'docs/otlp-conformance.md';

/** How the tests under each name ended. */
export function talliesOf(tests: readonly NamedTest[], results: readonly TestResult[]): Tallies {
  const tallies = new Map<NamedTest, Tally>(tests.map((test) => [test, { passed: 0, total: 0 }]));
  for (const result of results) {
    for (const test of new Set(result.names.map((name) => namedSo(tests, result.file, name)))) {
      if (!test) continue;
      const { passed, total } = tallies.get(test)!;
      tallies.set(test, { passed: passed + Number(result.passed), total: total + 1 });
    }
  }
  return tallies;
}

/** A name as it stands wins over one with placeholders that could have come to the same. */
function namedSo(tests: readonly NamedTest[], file: string, reported: string): NamedTest | undefined {
  const mine = tests.filter((test) => test.file === file);
  return mine.find(({ name }) => name === reported) ?? mine.find(({ name }) => isFilledIn(name, reported));
}

/** Lines that no test holds, or whose tests did not all run and pass. */
export function shortOf(tests: readonly NamedTest[], results: readonly TestResult[]): number[] {
  const tallies = talliesOf(tests, results);
  return requirements
    .flatMap(({ lines }) => lines)
    .filter(({ number }) => {
      const mine = testsOf(number, tests).map((test) => tallies.get(test)!);
      return mine.length === 0 || mine.some(({ passed, total }) => total === 0 || passed < total);
    })
    .map(({ number }) => number);
}

export function render(tests: readonly NamedTest[], results: readonly TestResult[]): string {
  const tallies = talliesOf(tests, results);
  const parts = [
    '# OTLP, line by line',
    'Made by `npm run conformance` from a run of the tests named here. The lines are what the OpenTelemetry protocol specification and its page on exporters ask for; the right column says where the OpenTelemetry Collector does otherwise. A build fails when a line has no test, or when this page does not name the tests that there are.',
  ];
  for (const { of, lines } of requirements) {
    parts.push(`## ${of}`);
    parts.push(
      [
        '| | what is asked | tests passed | the Collector |',
        '|---|---|---|---|',
        ...lines.map((line) => row(line, tests, tallies)),
      ].join('\n'),
    );
    for (const line of lines) {
      parts.push(`### ${line.number}. ${line.text}`, list(testsOf(line.number, tests), tallies));
    }
  }
  return `${parts.join('\n\n')}\n`;
}

/** The names of tests that a page holds, each with its file. */
export function namesIn(document: string): string[] {
  return [...document.matchAll(/^- (?:\d+ of \d+): (.*) \(\[[^\]]*\]\(\.\.\/([^)]*)\)\)$/gm)].map(
    ([, name, file]) => `${file}: ${name!.replace(/\\([\\`*_<>[\]|])/g, '$1')}`,
  );
}

function testsOf(number: number, tests: readonly NamedTest[]): NamedTest[] {
  return tests.filter(({ lines }) => lines.includes(number));
}

function row(line: Requirement, tests: readonly NamedTest[], tallies: Tallies): string {
  const mine = testsOf(line.number, tests).map((test) => tallies.get(test)!);
  const passed = mine.reduce((sum, tally) => sum + tally.passed, 0);
  const total = mine.reduce((sum, tally) => sum + tally.total, 0);
  const verdict = total > 0 && passed === total ? `all ${total}` : `**${passed} of ${total}**`;
  return `| ${line.number} | ${escaped(line.text)} | ${verdict} | ${line.collector ?? ''} |`;
}

function list(tests: readonly NamedTest[], tallies: Tallies): string {
  return tests
    .map((test) => {
      const { passed, total } = tallies.get(test)!;
      const file = test.file.slice('test/'.length);
      return `- ${passed} of ${total}: ${escaped(bare(test.name))} ([${escaped(file)}](../${test.file}))`;
    })
    .join('\n');
}

/** Without the numbers, which the heading says. */
export function bare(name: string): string {
  return name.slice(name.indexOf(': ') + 2);
}

function escaped(text: string): string {
  return text.replace(/[\\`*_<>[\]|]/g, '\\$&');
}
