// `holdfast verify DIR`: reads all of a log and says what is wrong with it; changes nothing.

import { type VerifyReport, verifyLog } from '../../buffer/index.ts';
import { type Command, exitCode, jsonOption } from './command.ts';
import { damageLines, logsIn, onDisk, progressOn, size, unknownIn } from './on_disk.ts';

export const command: Command = {
  description:
    'Reads everything in a log directory (frames, indexes, offsets, ledgers) and reports damage with its place.\nThe logs of workers below it are read too. Changes nothing. Exit code 1 if something is damaged that the log has not counted and kept aside before.',
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
    const [own, ...workers] = await onDisk(directory, async () => {
      const reports: VerifyReport[] = [];
      for (const log of await logsIn(directory)) {
        reports.push(await verifyLog({ directory: log, force, progress: progressOn(terminal) }));
      }
      return reports as [VerifyReport, ...VerifyReport[]];
    });
    const whole = [own, ...workers].every((report) => unknownIn(report).length === 0);
    if (invocation.flag('json')) {
      const all = workers.length > 0 ? { ...own, workers } : own;
      terminal.out(`${JSON.stringify(all, null, 2)}\n`);
    } else {
      for (const report of [own, ...workers]) terminal.out(linesOf(report));
      if (!whole) terminal.err('holdfast repair puts in order what can be\n');
    }
    return whole ? exitCode.ok : exitCode.failure;
  },
};

function linesOf(report: VerifyReport): string {
  const { bytes, damage, directory, entries, segments, shards } = report;
  const damaged = unknownIn(report).length;
  const read = `${entries} entries in ${segments} segments of ${shards} shards, ${size(bytes)}`;
  return `${damageLines(damage)}${directory}: ${damaged === 0 ? 'whole' : `${damaged} damaged`} (${read})\n`;
}
