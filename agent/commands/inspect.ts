// `holdfast inspect FILE`: what stands in one file of a log. JSON comes one object a line: a segment can have many frames.

import { type Inspected, inspectFile } from '../../buffer/index.ts';
import { type Command, exitCode, jsonOption } from './command.ts';
import { onDisk } from './on_disk.ts';

export const command: Command = {
  description:
    'Shows what stands in one file of a log: the frames of a segment (.log), the points of an .index, the slots of\nowner, ledger or offsets. Changes nothing. Exit code 1 if a part of the file is damaged.',
  argument: { value: 'FILE', description: 'A file below the directory of a log.' },
  options: { json: { ...jsonOption.json, description: 'Prints JSON, one object a line, for programs.' } },
  examples: [
    {
      line: 'holdfast inspect ./holdfast-data/buffer/logs.otlp/0/00000000000000000000.log',
      says: 'a table of its frames',
    },
    { line: 'holdfast inspect ./holdfast-data/buffer/owner --json', says: 'who has it, since when' },
  ],
  async run(invocation, terminal) {
    const json = invocation.flag('json');
    let titled = false;
    const print = (found: Inspected): void => {
      if (json) {
        terminal.out(`${JSON.stringify(found)}\n`);
        return;
      }
      if (!titled && found.kind === 'frame') terminal.out(row(TITLES));
      titled = true;
      terminal.out(line(found));
    };
    const path = invocation.argument;
    return (await onDisk(path, () => inspectFile(path, print))) ? exitCode.ok : exitCode.failure;
  },
};

const TITLES = [
  'position',
  'bytes',
  'offset',
  'entries',
  'watermark',
  'epoch',
  'flags',
  'codec',
  'raw',
  'time',
];
const WIDTHS = [12, 10, 16, 7, 16, 10, 5, 5, 10, 24];

function row(cells: readonly (string | number)[]): string {
  return `${cells.map((cell, index) => String(cell).padStart(WIDTHS[index]!)).join('  ')}\n`;
}

function line(found: Inspected): string {
  switch (found.kind) {
    case 'frame': {
      const { position, bytes, offset, count, watermark, epoch, flags, codec, raw_bytes, time } = found;
      return row([position, bytes, offset, count, watermark, epoch, flags, codec, raw_bytes, time]);
    }
    case 'damage':
      return `${row([found.position, found.bytes]).trimEnd()}  DAMAGED\n`;
    case 'unused':
      return `${row([found.position, found.bytes]).trimEnd()}  unused\n`;
    case 'point':
      return `offset ${found.offset} at position ${found.position}\n`;
    case 'slot': {
      const { slot, state, magic, version, sequence, content } = found;
      if (state !== 'intact') return `slot ${slot}: ${state}\n`;
      return `slot ${slot}: ${magic} version ${version}, state ${sequence}\n${JSON.stringify(content, null, 2)}\n`;
    }
  }
}
