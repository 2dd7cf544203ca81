// A whole log with one file of it replaced: what a process finds when it starts. The first byte chooses the file, the rest is
// its content.

import { type FrameKey, parseKey } from '../../../buffer/frame_key.ts';
import { Log, repairLog, verifyLog } from '../../../buffer/index.ts';
import { viewSlots } from '../../../buffer/two_slot.ts';
import { HoldfastError } from '../../../config/error.ts';
import { ManualClock } from '../../buffer/manual_clock.ts';
import { MemoryFileSystem } from '../../buffer/memory_file_system.ts';
import { SeededRandom } from '../../sim/random.ts';
import { type Parser, promise, refusedAs, type Verdict } from '../parser.ts';
import { mutateFrames } from './frames.ts';

const DIRECTORY = '/log';
const OPTIONS = { directory: DIRECTORY, retention: { minFreeSpace_bytes: 0 } };

const original = await written();
const key = keyOf(original);
const paths = original.paths().filter((path) => !path.endsWith('/lock'));

export const storeParser: Parser = {
  name: 'store',
  promise:
    'with any one file damaged the log opens, gives the same twice, and repair leaves nothing to repair',
  seeds: paths.map((path, index) => Buffer.concat([Buffer.from([index]), original.bytes(path)])),
  mutate,
  inputMax_bytes: 64 * 1024,
  allocationMax_bytes: 8 * 1024 * 1024,
  shortRun: 100,
  refusesNothing: true,
  async check(input): Promise<Verdict> {
    const disk = original.copy();
    disk.replace(paths[(input[0] ?? 0) % paths.length]!, input.subarray(1));
    try {
      await verifyLog({ directory: DIRECTORY, fileSystem: disk });
      const repaired = disk.copy();
      const first = await openAndClose(disk);
      const second = await openAndClose(disk);
      promise(first === second, `opened twice it is another log:\n${first}\n${second}`);
      await checkRepair(repaired);
      return 'accepted';
    } catch (error) {
      return refusedAs(error, HoldfastError);
    }
  },
};

/** Two segments that are sealed and one that is not, a group, and what failed. */
async function written(): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const log = await Log.open({
    ...OPTIONS,
    fileSystem: disk,
    clock: new ManualClock(),
    random: new SeededRandom(7),
    segment: { maxBytes: 400 },
  });
  const shard = (await log.stream('s')).shardOf(0);
  const group = await (await log.stream('s')).group('g');
  for (let index = 0; index < 6; index++) {
    const first = shard.append([Buffer.alloc(90, `entry ${index} `), Buffer.from([index])]);
    await shard.durable(first + 1);
  }
  void group.commit(shard, 5);
  await log.close();
  return disk;
}

/** What the log says of itself, as text. */
async function openAndClose(disk: MemoryFileSystem): Promise<string> {
  const log = await Log.open({ ...OPTIONS, fileSystem: disk, clock: new ManualClock() });
  const facts: unknown[] = [];
  for (const shard of (await log.streams('**')).flatMap((stream) => stream.shards)) {
    const { logStart, highWatermark, logEnd, account } = shard.stats();
    promise(logStart <= highWatermark && highWatermark <= logEnd, 'offsets out of order');
    facts.push([shard.id, logStart, highWatermark, account]);
  }
  await log.close();
  return JSON.stringify(facts);
}

async function checkRepair(disk: MemoryFileSystem): Promise<void> {
  const options = { directory: DIRECTORY, fileSystem: disk, clock: new ManualClock() };
  const { after } = await repairLog(options);
  const left = after.damage.filter(({ known }) => !known);
  promise(
    left.length === 0,
    `repair left: ${left.map(({ message, file }) => `${file}: ${message}`).join('; ')}`,
  );
  const again = await repairLog(options);
  promise(again.kept.length === 0, `the second repair found ${again.kept.join(', ')}`);
}

/** Nothing is forged here: a disk does not know the key, nor what a checksum is for. */
function mutate(input: Buffer, random: SeededRandom): Buffer {
  const frames = mutateFrames(input.subarray(1), random, key, false);
  return Buffer.concat([input.subarray(0, 1), frames]);
}

/** Of this log, by its owner file. */
function keyOf(disk: MemoryFileSystem): FrameKey {
  const [slot] = viewSlots(disk.bytes(`${DIRECTORY}/owner`));
  return parseKey((JSON.parse(slot!.payload.toString('utf8')) as { key: string }).key);
}
