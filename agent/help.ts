// Writes the help texts from the same tables that the command line is parsed with, so that they cannot disagree.

import type { Command, CommandTable, OptionSpec } from './commands/command.ts';

export function generalHelp(table: CommandTable): string {
  const verbs = Object.entries(table).map(([name, { summary }]) => [name, summary] as const);
  return `Holdfast: takes telemetry in, has it on disk before it says yes, and delivers it.

Usage: holdfast [command] [options]

Commands
${columns(verbs)}

Options
${columns([
  ['-h, --help', 'Explains holdfast, or a command: holdfast validate --help.'],
  ['-v, --version', 'Prints the version.'],
])}

Examples
${examples([
  {
    line: 'holdfast',
    says: 'OTLP, syslog and logs over HTTP on this machine only, kept in ./holdfast-data, written to a file',
  },
  { line: 'holdfast run --config agent.yaml', says: 'the same from your own configuration' },
  { line: 'holdfast validate --config agent.yaml', says: 'is it right?' },
])}

Exit codes: 0 done, 1 failed, 2 the command line was not understood.
`;
}

export function commandHelp(name: string, command: Command): string {
  const options = Object.entries(command.options).map(
    ([option, spec]) => [optionUsage(option, spec), spec.description] as const,
  );
  const argument = command.argument
    ? `\nArgument\n${columns([[command.argument.value, command.argument.description]])}\n`
    : '';
  return `${command.description}

Usage: holdfast ${name}${command.argument ? ` ${command.argument.value}` : ''} [options]
${argument}
Options
${columns([...options, ['-h, --help', 'Explains this command.']])}

Examples
${examples(command.examples)}
`;
}

function optionUsage(option: string, spec: OptionSpec): string {
  const short = spec.short ? `-${spec.short}, ` : '';
  return `${short}--${option}${spec.type === 'string' ? ` ${spec.value ?? 'VALUE'}` : ''}`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}

function examples(list: Command['examples']): string {
  return list.map(({ line, says }) => `  ${line}\n      ${says}`).join('\n');
}
