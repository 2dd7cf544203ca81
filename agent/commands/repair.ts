// `holdfast repair DIR`: puts a log in order as far as that goes, and keeps a copy of whatever it gives up.

import { type RepairReport, repairLog } from '../../buffer/index.ts';
import type { Terminal } from '../terminal.ts';
import { type Command, exitCode, jsonOption } from './command.ts';
import { damageLines, logsIn, onDisk, progressOn, unknownIn } from './on_disk.ts';

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
    const [own, ...workers] = await onDisk(directory, async () => {
      const reports: RepairReport[] = [];
      for (const log of await logsIn(directory)) reports.push(await repairLog({ directory: log, progress }));
      return reports as [RepairReport, ...RepairReport[]];
    });
    if (invocation.flag('json')) {
      const all = workers.length > 0 ? { ...own, workers } : own;
      terminal.out(`${JSON.stringify(all, null, 2)}\n`);
    } else for (const report of [own, ...workers]) print(report, terminal);
    const inOrder = [own, ...workers].every(({ after }) => unknownIn(after).length === 0);
    return inOrder ? exitCode.ok : exitCode.failure;
  },
};

function print({ after, before, kept }: RepairReport, terminal: Terminal): void {
  const left = unknownIn(after);
  terminal.out(damageLines(before.damage));
  for (const path of kept) terminal.out(`kept: ${path}\n`);
  const state = left.length === 0 ? 'in order' : `${left.length} damaged still`;
  terminal.out(`${before.directory}: ${unknownIn(before).length} damaged, now ${state}\n`);
  if (left.length > 0) terminal.err(damageLines(left));
}
