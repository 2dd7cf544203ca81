// `holdfast verify DIR`: reads all of a log and says what is wrong with it; changes nothing.

import { verifyLog } from '../../buffer/index.ts';
import { type Command, exitCode, jsonOption } from './command.ts';
import { damageLines, onDisk, progressOn, size } from './on_disk.ts';

export const command: Command = {
  description:
    'Reads everything in a log directory (frames, indexes, offsets, ledgers) and reports damage with its place.\nChanges nothing. Exit code 1 if something is damaged that the log has not counted and kept aside before.',
  argument: { value: 'DIR', description: 'The directory of the log, such as ./holdfast-data/buffer.' },
  options: {
    ...jsonOption,
    force: {
      type: 'boolean',
      description: 'Reads also beside a running owner; what is being written may then look damaged.',
    },
  },
  examples: [
    { line: 'holdfast verify ./holdfast-data/buffer', says: 'is it whole?' },
    { line: 'holdfast verify ./holdfast-data/buffer --json', says: 'the same for programs' },
  ],
  async run(invocation, terminal) {
    const directory = invocation.argument;
    const force = invocation.flag('force');
    const report = await onDisk(directory, () =>
      verifyLog({ directory, force, progress: progressOn(terminal) }),
    );
    const fresh = report.damage.filter(({ known }) => !known);
    if (invocation.flag('json')) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
    else {
      terminal.out(damageLines(report.damage));
      const { shards, segments, bytes, entries } = report;
      const read = `${entries} entries in ${segments} segments of ${shards} shards, ${size(bytes)}`;
      terminal.out(`${directory}: ${fresh.length === 0 ? 'whole' : `${fresh.length} damaged`} (${read})\n`);
      if (fresh.length > 0) terminal.err('holdfast repair puts in order what can be\n');
    }
    return fresh.length === 0 ? exitCode.ok : exitCode.failure;
  },
};
