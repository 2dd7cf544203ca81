// agent/command_line.ts: one argument a line.

import { commands, runCommandLine } from '../../../agent/command_line.ts';
import type { CommandTable } from '../../../agent/commands/command.ts';
import { recordingTerminal } from '../../agent/recording_terminal.ts';
import { type Parser, promise, type Verdict } from '../parser.ts';

/** Every verb as it is, but for what it does. */
const idle: CommandTable = Object.fromEntries(
  Object.entries(commands).map(([name, entry]) => [
    name,
    { ...entry, load: async () => ({ ...(await entry.load()), run: async () => 0 }) },
  ]),
);

export const commandLineParser: Parser = {
  name: 'command_line',
  promise: 'exit code 0, or 2 and one line that says what was not understood; never throws',
  seeds: [
    'run\n--config\na.yaml\n--set\na.b=c',
    'verify\n./dir\n--json',
    '--help',
    'help\nrun',
    '--version',
    'inspect\nfile',
    '--config=a',
    '',
  ].map((text) => Buffer.from(text)),
  words: [
    '\n',
    '--',
    '-',
    '--config',
    '--set',
    '-h',
    '--json',
    '--no-json',
    '=',
    '__proto__',
    'constructor',
    'toString',
    'run',
    'verify',
    '--config=',
    'é',
    '\0',
  ],
  inputMax_bytes: 400,
  shortRun: 400,
  async check(input): Promise<Verdict> {
    const text = input.toString('utf8');
    const terminal = recordingTerminal();
    const code = await runCommandLine(text === '' ? [] : text.split('\n'), terminal, idle);
    promise(code === 0 || code === 2, `exit code ${code}`);
    if (code === 0) return 'accepted';
    promise(terminal.outText() === '', 'an error among the data');
    promise(/^holdfast: .+\n$/s.test(terminal.errText()), `said: ${terminal.errText()}`);
    return 'refused';
  },
};
