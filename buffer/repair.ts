// Puts in order what can be: takes the directory, reads every segment whatever its index says, copies aside what is damaged,
// counts what is lost, and writes missing indexes, owner files and copies anew. Invariant: no byte is cut off or
// overwritten that was not copied aside before.

import { shardsOf } from './key_search.ts';
import { Log } from './log.ts';
import type { LogOptions } from './log_options.ts';
import type { FileSystem } from './ports/file_system.ts';
import { nodeFileSystem } from './ports/node_file_system.ts';
import { type VerifyReport, verifyLog } from './verify.ts';
import { readFully, writeNewFile } from './whole_io.ts';

export interface RepairReport {
  readonly before: VerifyReport;
  readonly after: VerifyReport;
  /** Copies of what was damaged. */
  readonly kept: readonly string[];
}

export type RepairOptions = Pick<LogOptions, 'fileSystem' | 'clock' | 'random' | 'report'> & {
  readonly directory: string;
  readonly progress?: (read_bytes: number, total_bytes: number) => void;
};

/** @throws OwnerPresent | ForeignDirectory | NewerFormat | KeyLost */
export async function repairLog(options: RepairOptions): Promise<RepairReport> {
  const fileSystem = options.fileSystem ?? nodeFileSystem;
  const { directory } = options;
  const before = await verifyLog(options);
  const shards = await shardsOf(fileSystem, directory);
  const listed = await quarantined(fileSystem, shards);
  for (const { file, kind, stream, shard } of before.damage) {
    const beside = stream === undefined ? shards[0] : `${directory}/${stream}/${shard}`;
    if ((kind === 'copy' || kind === 'state' || kind === 'index') && beside) {
      await keep(fileSystem, file, `${beside}/quarantine`);
    }
  }
  const log = await Log.open({
    ...options,
    readEverything: true,
    // Nothing is removed meanwhile, and nothing refused.
    retention: { maxSize_bytes: Number.MAX_SAFE_INTEGER, minFreeSpace_bytes: 0, interval_ms: 3_600_000 },
  });
  await log.close();
  const kept = (await quarantined(fileSystem, shards)).filter((path) => !listed.includes(path));
  return { before, after: await verifyLog(options), kept };
}

async function quarantined(fileSystem: FileSystem, shards: readonly string[]): Promise<string[]> {
  const all: string[] = [];
  for (const shard of shards) {
    const directory = `${shard}/quarantine`;
    if (!(await fileSystem.stat(directory))) continue;
    for (const name of await fileSystem.list(directory)) all.push(`${directory}/${name}`);
  }
  return all;
}

/** Copies a small file under a free name. */
async function keep(fileSystem: FileSystem, path: string, quarantine: string): Promise<void> {
  const stat = await fileSystem.stat(path);
  if (!stat || stat.size === 0) return;
  await fileSystem.makeDirectory(quarantine);
  const name = path.slice(path.lastIndexOf('/') + 1);
  let copy = `${quarantine}/${name}`;
  for (let number = 2; await fileSystem.stat(copy); number++) copy = `${quarantine}/${name}.${number}`;
  const from = await fileSystem.open(path, 'read');
  const bytes = Buffer.alloc(stat.size);
  await readFully(from, bytes, 0).finally(() => from.close());
  await writeNewFile(fileSystem, copy, bytes);
  await fileSystem.syncDirectory(quarantine);
}
