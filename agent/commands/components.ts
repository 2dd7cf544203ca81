// `holdfast components`: what can be named in a configuration of this build.

import { components } from '../components.ts';
import { readVersion } from '../version.ts';
import { type Command, exitCode, jsonOption } from './command.ts';

interface Row {
  readonly type: string;
  readonly aliases: readonly string[];
  readonly signals: readonly string[];
  readonly description: string;
}

/** What the schema takes besides factories; schema/replaced.ts is where they are read. */
const processors: readonly Row[] = [
  ['batch', 'Taken from a Collector file; not needed, requests are merged when they leave the disk.'],
  ['memory_limiter', 'Taken from a Collector file; not needed, memory is bounded by buffer.in_flight.'],
].map(([type = '', description = '']) => ({
  type,
  aliases: [],
  signals: ['traces', 'metrics', 'logs'],
  description,
}));

const extensions: readonly Row[] = [
  ['health_check', 'Answers 200 while the agent can keep its promise, else 503.'],
  ['bearertokenauth', 'A token that clients have to show to a receiver, or that an exporter shows.'],
  ['basicauth', 'Users whom a receiver lets in, or the user as whom an exporter comes.'],
  ['headers_setter', 'Headers of an exporter, from the configuration or from files.'],
  ['file_storage', 'Taken from a Collector file; its directory becomes that of the buffer.'],
].map(([type = '', description = '']) => ({ type, aliases: [], signals: [], description }));

export const command: Command = {
  description: 'Lists the receivers, processors, exporters and extensions that a configuration can name.',
  options: jsonOption,
  examples: [
    { line: 'holdfast components', says: 'a table' },
    { line: 'holdfast components --json', says: 'the same for programs' },
  ],
  async run(invocation, terminal) {
    const rows = (list: readonly Row[]): Row[] =>
      list.map(({ type, aliases = [], signals, description }) => ({ type, aliases, signals, description }));
    const sections = {
      receivers: rows(components.receivers as readonly Row[]),
      processors,
      exporters: rows(components.exporters as readonly Row[]),
      extensions,
    };
    terminal.out(
      invocation.flag('json')
        ? `${JSON.stringify({ version: readVersion(), ...sections }, null, 2)}\n`
        : table(sections),
    );
    return exitCode.ok;
  },
};

function table(sections: Readonly<Record<string, readonly Row[]>>): string {
  const named = ({ type, aliases }: Row): string =>
    aliases.length > 0 ? `${type} (also ${aliases.join(', ')})` : type;
  const all = Object.values(sections).flat();
  const nameWidth = Math.max(...all.map((row) => named(row).length));
  const signalWidth = Math.max(...all.map((row) => row.signals.join(' ').length));
  return Object.entries(sections)
    .map(([section, rows]) => {
      const lines = rows.map((row) => {
        const signals = row.signals.join(' ').padEnd(signalWidth);
        return `  ${named(row).padEnd(nameWidth)}  ${signals}  ${row.description}\n`;
      });
      return `${section}\n${lines.join('')}`;
    })
    .join('\n');
}
