// rsyslog of the system with a queue on disk, synced and not. Invariant: it takes and gives away the same lines as Holdfast, by its
// cheapest input, and each of them passes through the files of its queue.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { missingRsyslog } from '../../test/interop/rsyslog.ts';
import type { Contestant, ContestantName, SyslogSetup } from './contestant.ts';

export const rsyslog = ofQueue('rsyslog', 'rsyslog, disk queue, no sync (its default)', 'off');
export const rsyslogSync = ofQueue('rsyslog-sync', 'rsyslog, disk queue, synced', 'on');

function ofQueue(name: ContestantName, title: string, sync: 'on' | 'off'): Contestant {
  return {
    name,
    title,
    missing: missingRsyslog,
    // "rsyslogd  8.2302.0 (aka 2023.02) compiled with:"
    version: () => spawnSync('rsyslogd', ['-v'], { encoding: 'utf8' }).stdout.split(/\s+/)[1] ?? 'unknown',
    syslog(setup) {
      const config = path.join(setup.directory, 'rsyslog.conf');
      fs.writeFileSync(config, configuration(setup, sync));
      return {
        file: 'rsyslogd',
        args: ['-n', '-f', config, '-i', path.join(setup.directory, 'rsyslog.pid')],
      };
    },
    mark: '\n',
  };
}

function configuration({ directory, port, out }: SyslogSetup, sync: 'on' | 'off'): string {
  const action =
    'file' in out
      ? `type="omfile" file="${out.file}"`
      : `type="omfwd" target="127.0.0.1" port="${out.linesPort}" protocol="tcp"`;
  return `global(workDirectory="${directory}")
module(load="imptcp")
template(name="line" type="string" string="%rawmsg%\\n")
ruleset(name="relay") {
  action(${action} template="line" action.resumeRetryCount="-1"
    queue.type="Disk" queue.filename="queue" queue.syncQueueFiles="${sync}" queue.maxFileSize="64m" queue.maxDiskSpace="16g")
}
input(type="imptcp" address="127.0.0.1" port="${port}" ruleset="relay")
`;
}
