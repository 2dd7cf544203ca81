// Turns arguments into one verb's run and its exit code.
// Invariant: whatever cannot be understood ends with exit code 2, says what was meant most likely, and runs nothing.

import { parseArgs } from 'node:util';
import { HoldfastError } from '../config/error.ts';
import { nearest } from '../config/nearest.ts';
import {
  type Command,
  type CommandTable,
  exitCode,
  type Invocation,
  type OptionSpec,
  UsageError,
} from './commands/command.ts';
import { commandHelp, generalHelp } from './help.ts';
import type { Terminal } from './terminal.ts';
import { readVersion } from './version.ts';

export const commands: CommandTable = {
  run: {
    summary: 'Run the agent (the default).',
    load: async () => (await import('./commands/run.ts')).command,
  },
  validate: {
    summary: 'Check a configuration and report every problem with its position.',
    load: async () => (await import('./commands/validate.ts')).command,
  },
  components: {
    summary: 'List the receivers, exporters and other components in this build.',
    load: async () => (await import('./commands/components.ts')).command,
  },
  verify: {
    summary: 'Read all of a log on disk and report damage; changes nothing.',
    load: async () => (await import('./commands/verify.ts')).command,
  },
  repair: {
    summary: 'Put a damaged log in order as far as that goes; what is damaged is kept aside.',
    load: async () => (await import('./commands/repair.ts')).command,
  },
  inspect: {
    summary: 'Show what stands in one file of a log.',
    load: async () => (await import('./commands/inspect.ts')).command,
  },
  'print-config': {
    summary: 'Print the configuration as the agent understands it, defaults filled in, secrets hidden.',
    load: async () => (await import('./commands/print_config.ts')).command,
  },
};

const helpOption: OptionSpec = { type: 'boolean', short: 'h', description: 'Explains this command.' };

/** @returns the exit code: 0 done, 1 failed, 2 not understood. */
export async function runCommandLine(
  args: readonly string[],
  terminal: Terminal,
  table: CommandTable = commands,
): Promise<number> {
  try {
    return await dispatch(args, terminal, table);
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.err(`holdfast: ${error.message}\n`);
      return exitCode.usage;
    }
    if (!(error instanceof HoldfastError)) throw error;
    terminal.err(`holdfast: ${error.message} (${error.code})\n`);
    return exitCode.failure;
  }
}

async function dispatch(args: readonly string[], terminal: Terminal, table: CommandTable): Promise<number> {
  const [first, ...rest] = args;
  if (first === '--version' || first === '-v' || first === 'version') {
    terminal.out(`holdfast ${readVersion()}\n`);
    return exitCode.ok;
  }
  if (first === '--help' || first === '-h' || (first === 'help' && rest.length === 0)) {
    terminal.out(generalHelp(table));
    return exitCode.ok;
  }
  if (first === 'help') return dispatch([...rest.slice(0, 1), '--help'], terminal, table);
  const named = first !== undefined && !first.startsWith('-');
  const name = named ? first : 'run';
  if (!Object.hasOwn(table, name)) throw new UsageError(unknownCommand(name, table));
  const command = await table[name]!.load();
  const invocation = parseInvocation(name, command, named ? rest : args, table);
  if (invocation.flag('help')) {
    terminal.out(commandHelp(name, command));
    return exitCode.ok;
  }
  return command.run(invocation, terminal);
}

function unknownCommand(name: string, table: CommandTable): string {
  const meant = nearest(name, Object.keys(table));
  const looksLikeFile = /\.ya?ml$/.test(name);
  const hint = looksLikeFile
    ? `a configuration file goes behind --config: holdfast run --config ${name}`
    : meant
      ? `did you mean "holdfast ${meant}"?`
      : `there are ${Object.keys(table).join(', ')}; see holdfast --help`;
  return `unknown command ${JSON.stringify(name)}: ${hint}`;
}

function parseInvocation(
  name: string,
  command: Command,
  args: readonly string[],
  table: CommandTable,
): Invocation {
  const options: Record<string, OptionSpec> = { ...command.options, help: helpOption };
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(([option, { type, short }]) => [
        option,
        { type, multiple: true, ...(short ? { short } : {}) },
      ]),
    ),
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  let argument = '';
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      if (!command.argument || argument !== '' || token.value === '') {
        throw new UsageError(unexpectedArgument(name, token.value, table));
      }
      argument = token.value;
      continue;
    }
    const spec = Object.hasOwn(options, token.name) ? options[token.name]! : undefined;
    if (!spec) throw new UsageError(unknownOption(name, token.rawName, token.name, options));
    const value = checkedValue(token.rawName, token.value, token.inlineValue === true, spec);
    const before = given.get(token.name) ?? [];
    if (before.length > 0 && spec.type === 'string' && !spec.multiple) {
      throw new UsageError(`${token.rawName} is given twice`);
    }
    given.set(token.name, [...before, value]);
  }
  if (command.argument && argument === '' && !given.has('help')) {
    const { value } = command.argument;
    throw new UsageError(`${value} is missing: holdfast ${name} ${value}; see holdfast ${name} --help`);
  }
  return { argument, values: (option) => given.get(option) ?? [], flag: (option) => given.has(option) };
}

function checkedValue(rawName: string, value: string | undefined, inline: boolean, spec: OptionSpec): string {
  if (spec.type === 'boolean') {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
    return '';
  }
  // `--config --json` is a forgotten value, not a file named --json; `--config=--json` says it is one.
  if (value === undefined || value === '' || (value.startsWith('-') && value !== '-' && !inline)) {
    throw new UsageError(`${rawName} needs a value: ${rawName} ${spec.value ?? 'VALUE'}`);
  }
  return value;
}

function unexpectedArgument(name: string, argument: string, table: CommandTable): string {
  if (Object.hasOwn(table, argument)) {
    return `unexpected argument "${argument}": the command goes first, holdfast ${argument} …`;
  }
  if (/\.ya?ml$/.test(argument))
    return `unexpected argument "${argument}": did you mean --config ${argument}?`;
  return `unexpected argument ${JSON.stringify(argument)}; see holdfast ${name} --help`;
}

function unknownOption(
  name: string,
  rawName: string,
  option: string,
  options: Readonly<Record<string, OptionSpec>>,
): string {
  const meant = nearest(option, Object.keys(options));
  const hint = meant ? `did you mean --${meant}?` : `see holdfast ${name} --help`;
  return `unknown option ${rawName} of "holdfast ${name}": ${hint}`;
}
