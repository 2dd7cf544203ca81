// From command-line options to a configuration: files and --set, or the built-in defaults.
// Invariant: a configuration with a single error is not used, and every error has been printed.

import { ConfigError, formatProblem, type Problem } from '../config/problem.ts';
import { type LoadedSource, loadConfig } from '../config/source.ts';
import type { Invocation } from './commands/command.ts';
import { components } from './components.ts';
import { defaultConfig } from './default_config.ts';
import type { ReadConfig } from './schema/agent_config.ts';
import { readAgentConfig } from './schema.ts';
import type { Terminal } from './terminal.ts';

export interface ReadFromOptions extends ReadConfig {
  /** True when no file was named, so that the built-in defaults are in use. */
  readonly isDefault: boolean;
  /** Undefined when some file could not be read at all. */
  readonly source: LoadedSource | undefined;
}

/** Never throws for what is wrong with a configuration: it is in the problems. */
export function readFromOptions(invocation: Invocation, terminal: Terminal): ReadFromOptions {
  const files = invocation.values('config');
  const isDefault = files.length === 0;
  let source: LoadedSource;
  try {
    source = loadConfig({
      files: isDefault ? [defaultConfig] : files,
      sets: invocation.values('set'),
      env: terminal.env,
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: undefined, problems: error.problems, notes: [], isDefault, source: undefined };
  }
  return { ...readAgentConfig(source, components), isDefault, source };
}

/** `3 errors and 1 warning` */
function countProblems(problems: readonly Problem[]): string {
  const count = (severity: Problem['severity']): string | undefined => {
    const number = problems.filter((problem) => problem.severity === severity).length;
    return number === 0 ? undefined : `${number} ${severity}${number === 1 ? '' : 's'}`;
  };
  return [count('error'), count('warning')].filter((part) => part !== undefined).join(' and ');
}

/** On stderr, one line each, and how many there are. */
export function printProblems(problems: readonly Problem[], terminal: Terminal): void {
  for (const problem of problems) terminal.err(`${formatProblem(problem)}\n`);
  if (problems.length > 0) terminal.err(`${countProblems(problems)}\n`);
}
