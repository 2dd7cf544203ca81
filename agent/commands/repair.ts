// `holdfast repair DIR`: puts a log in order as far as that goes, and keeps a copy of whatever it gives up.

import { repairLog } from '../../buffer/index.ts';
import { type Command, exitCode, jsonOption } from './command.ts';
import { damageLines, onDisk, progressOn } from './on_disk.ts';

export const command: Command = {
  description:
    'Reads all of a log, counts what is lost, writes missing indexes and damaged copies of states anew.\nDamaged bytes are copied to the quarantine folder of their shard first; nothing is destroyed. The agent must not run.',
  argument: { value: 'DIR', description: 'The directory of the log, such as ./holdfast-data/buffer.' },
  options: jsonOption,
  examples: [
    { line: 'holdfast repair ./holdfast-data/buffer', says: 'after holdfast verify found damage' },
    { line: 'holdfast repair ./holdfast-data/buffer --json', says: 'the same for programs' },
  ],
  async run(invocation, terminal) {
    const directory = invocation.argument;
    const progress = progressOn(terminal);
    const report = await onDisk(directory, () => repairLog({ directory, progress }));
    const left = report.after.damage.filter(({ known }) => !known);
    if (invocation.flag('json')) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
    else {
      terminal.out(damageLines(report.before.damage));
      for (const path of report.kept) terminal.out(`kept: ${path}\n`);
      const found = report.before.damage.filter(({ known }) => !known).length;
      const state = left.length === 0 ? 'in order' : `${left.length} damaged still`;
      terminal.out(`${directory}: ${found} damaged, now ${state}\n`);
      if (left.length > 0) terminal.err(damageLines(left));
    }
    return left.length === 0 ? exitCode.ok : exitCode.failure;
  },
};
