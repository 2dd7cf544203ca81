// `holdfast validate`: is this configuration right? Nothing is started, opened or looked up but the files named.

import { printProblems, readFromOptions } from '../read_config.ts';
import { type Command, configOptions, exitCode, jsonOption } from './command.ts';

export const command: Command = {
  description:
    'Checks a configuration: every problem with file, line, column, what was expected and what was probably meant.\nExit code 1 if there is an error; warnings alone are fine.',
  options: { ...configOptions, ...jsonOption },
  examples: [
    { line: 'holdfast validate --config agent.yaml', says: 'one line per problem on stderr' },
    {
      line: 'holdfast validate --config base.yaml --config site.yaml --set buffer.max_size=2GiB',
      says: 'the merged result',
    },
    { line: 'holdfast validate --config agent.yaml --json', says: 'the problems as JSON on stdout' },
  ],
  async run(invocation, terminal) {
    const { config, problems, notes, isDefault } = readFromOptions(invocation, terminal);
    const valid = config !== undefined;
    if (invocation.flag('json')) {
      terminal.out(`${JSON.stringify({ valid, problems, notes }, null, 2)}\n`);
    } else {
      printProblems(problems, terminal);
      for (const note of notes) terminal.err(`note: ${note}\n`);
      const what = isDefault ? 'the built-in configuration' : invocation.values('config').join(', ');
      if (valid) terminal.out(`${what}: valid\n`);
    }
    return valid ? exitCode.ok : exitCode.failure;
  },
};
