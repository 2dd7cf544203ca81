// The command line that the programs of the benchmark share.

import { parseArgs } from 'node:util';
import { type Scenario, scenarios } from './scenario.ts';

export interface Options {
  readonly rounds: number;
  readonly scenarios: readonly Scenario[];
  /** Whether the results are written; otherwise they are printed. Some scenarios alone never replace a whole run. */
  readonly write: boolean;
  readonly install: boolean;
  /** Nothing is measured: the report is made anew from what is stored. */
  readonly stored: boolean;
}

const SHARED = (rounds: number): string => `  --rounds N          rounds of every scenario (default ${rounds})
  --scenarios A,B     only these, and print the results: ${scenarios.map(({ name }) => name).join(', ')}
  --help`;

/**
 * Ends the process where the command line asks for help (0) or cannot be understood (2).
 * @param introduction how to call it and what it does
 * @param flags which of the flags it takes, with their help
 */
export function readOptions(
  introduction: string,
  defaultRounds: number,
  flags: Readonly<Partial<Record<'dry' | 'install' | 'stored', string>>>,
): Options {
  const own = Object.entries(flags).map(([flag, help]) => `  --${flag.padEnd(18)}${help}`);
  const help = [introduction, '', SHARED(defaultRounds), ...own].join('\n');
  const refuse = (reason: string): never => {
    console.error(`${reason}\n\n${help}`);
    process.exit(2);
  };
  const values = parse(refuse);
  if (values.help) {
    console.log(help);
    process.exit(0);
  }
  const rounds = Number(values.rounds ?? defaultRounds);
  if (!Number.isInteger(rounds) || rounds < 1) refuse('--rounds takes a number from 1');
  const names = values.scenarios?.split(',') ?? scenarios.map(({ name }) => name);
  const chosen = names.map(
    (name) => scenarios.find((scenario) => scenario.name === name) ?? refuse(`there is no scenario ${name}`),
  );
  for (const flag of ['dry', 'install', 'stored'] as const) {
    if (values[flag] && flags[flag] === undefined) refuse(`--${flag} means nothing here`);
  }
  const write = !values.dry && values.scenarios === undefined;
  return { rounds, scenarios: chosen, write, install: values.install, stored: values.stored };
}

function parse(refuse: (reason: string) => never) {
  try {
    return parseArgs({
      options: {
        rounds: { type: 'string' },
        scenarios: { type: 'string' },
        dry: { type: 'boolean', default: false },
        install: { type: 'boolean', default: false },
        stored: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}
