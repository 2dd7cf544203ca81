// The other way to commit, modelled before the product has it: O_DIRECT | O_DSYNC into a recycled segment that is still full of
// the frames of its former life, each commit on a fresh block. Invariant: what is written and how it is recovered is the
// product's (Chain, recoverSegment); only the way to the disk is new.

import { BlockPool } from '../../buffer/block_pool.ts';
import { Chain } from '../../buffer/chain.ts';
import { EntryCursor, FRAME_HEADER_BYTES } from '../../buffer/frame.ts';
import { DIRECT_BLOCK_BYTES, type File } from '../../buffer/ports/file_system.ts';
import { Ranges } from '../../buffer/ranges.ts';
import { recoverSegment } from '../../buffer/recovery.ts';
import { findNextFrame, loadFrame, Window } from '../../buffer/scan.ts';
import { type Chooser, changesSoFar, type Disk } from './disk.ts';
import { World } from './machine.ts';
import { eachSubset } from './subsets.ts';
import { Violation } from './violation.ts';

const directCommits = ['small', 'several', 'large'] as const;
export type DirectCommit = (typeof directCommits)[number];

const KEY = { header: 0xdeadbeef, body: 0x01020304 };
const FOLDER = '/shard';
const OLD = `${FOLDER}/${'0'.repeat(20)}.log`;
const BASE = 1000;
const PATH = `${FOLDER}/${String(BASE).padStart(20, '0')}.log`;
const WAIT_ms = 60_000;

/** What a process knew when it ended: at each offset what it ever put there, and what it promised. */
interface Known {
  readonly written: Map<number, string[]>;
  readonly promised: Set<number>;
  watermark: number;
  version: number;
}

interface Ended {
  readonly disk: Disk;
  readonly known: Known;
}

export interface DirectSettings {
  readonly first: readonly DirectCommit[];
  /** Of the process that recovers what the first one left. */
  readonly second: readonly DirectCommit[];
  /** Whether recovery cuts off what stands behind the last frame, as it does today. */
  readonly cuts: boolean;
  readonly subsetsMax: number;
  /** Offset of the first stale frame. Default 0: of the same shard, hence below all that its next life will hold. */
  readonly staleFrom?: number;
}

/** Ends both processes at every operation, with subsets of what was under way. Returns the recoveries. @throws Violation */
export async function exhaustDirect(settings: DirectSettings): Promise<number> {
  let recoveries = 0;
  const start = await recycled(settings.staleFrom ?? 0);
  const none: Known = { written: new Map(), promised: new Set(), watermark: BASE, version: 0 };
  for (const left of await life(start, none, 1, settings.first, settings.cuts)) {
    await eachSubset(async (choose) => {
      const disk = left.disk.clone();
      disk.powerCut(choose);
      for (const again of await life(disk, left.known, 2, settings.second, settings.cuts)) {
        const checked = await eachSubset((pick) => check(again, pick), settings.subsetsMax);
        // The recovery that the second process began with counts as well.
        recoveries += checked + 1;
        again.disk.release();
      }
    }, settings.subsetsMax);
    left.disk.release();
  }
  start.release();
  return recoveries;
}

/** A disk with a segment that was consumed and got a new name, durably, with all that stood in it. */
async function recycled(staleFrom: number): Promise<Disk> {
  const world = new World(1);
  await must(world, world.process.makeDirectory(FOLDER));
  const file = await must(world, world.process.open(OLD, 'createDirect'));
  let end = staleFrom;
  let at = 0;
  while (at < 40 * DIRECT_BLOCK_BYTES) {
    const { bytes, count } = frames(end, end, 0, ['stale', 'stale too', 'x'.repeat(300)]);
    await must(world, file.write(bytes, at));
    at += bytes.length;
    end += count;
  }
  await must(world, world.process.syncDirectory('/'));
  await must(world, world.process.rename(OLD, PATH));
  await must(world, world.process.syncDirectory(FOLDER));
  return world.disk;
}

/** One process: recovers, commits, and leaves behind the disk as it stood at each of its operations. */
async function life(
  disk: Disk,
  before: Known,
  epoch: number,
  commits: readonly DirectCommit[],
  cuts: boolean,
): Promise<Ended[]> {
  const world = new World(1, false, disk);
  const known = copyOf(before);
  const ended: Ended[] = [];
  let seen = '';
  world.process.atBoundary = () => {
    if (seen === `${changesSoFar()} ${known.version}`) return;
    ended.push({ disk: world.disk.clone(), known: copyOf(known) });
    seen = `${changesSoFar()} ${known.version}`;
  };
  const { end, bytes } = await recover(world, known, cuts);
  const file = await must(world, world.process.open(PATH, 'direct'));
  let at = aligned(bytes);
  let first = end;
  for (const commit of commits) {
    const texts = textsOf(commit, epoch, first);
    const framed = frames(first, known.watermark, epoch, texts);
    for (const [index, text] of texts.entries()) {
      known.written.set(first + index, [...(known.written.get(first + index) ?? []), text]);
    }
    known.version += 1;
    await must(world, file.write(framed.bytes, at));
    for (const index of texts.keys()) known.promised.add(first + index);
    first += texts.length;
    known.watermark = first;
    known.version += 1;
    at += framed.bytes.length;
  }
  await must(world, file.close());
  world.process.die();
  return ended;
}

async function check({ disk, known }: Ended, choose: Chooser): Promise<void> {
  const world = new World(1, false, disk.clone());
  world.disk.powerCut(choose);
  await recover(world, copyOf(known), true);
  world.process.die();
  world.disk.release();
}

/** Recovers as the product does, and compares with what is known. Returns where the next entry and the next byte go. */
async function recover(world: World, known: Known, cuts: boolean): Promise<{ end: number; bytes: number }> {
  const file = await must(world, world.process.open(PATH, 'write'));
  const size = await must(world, file.size());
  const input = { file, path: PATH, size, base: BASE, nextBase: undefined, watermark: BASE, key: KEY };
  const found = await must(world, recoverSegment(input, new BlockPool(0)));
  const { end, bytes } = found.segment;
  const entries = await must(world, entriesOf(input, end, bytes, new Ranges(found.ranges)));
  for (const [offset, text] of entries) {
    if (!known.written.get(offset)?.includes(text)) {
      throw new Violation(3, `offset ${offset} holds what nobody put there: ${text.slice(0, 40)}`);
    }
    // What was shown once stays, and an offset names one entry.
    known.written.set(offset, [text]);
    known.promised.add(offset);
  }
  for (const offset of known.promised) {
    if (!entries.has(offset)) throw new Violation(1, `offset ${offset} was promised and is gone`);
  }
  if (cuts && found.tail_bytes > 0) await must(world, file.truncate(bytes));
  await must(world, file.sync());
  await must(world, file.close());
  known.watermark = Math.max(known.watermark, end);
  known.version += 1;
  return { end: Math.max(end, known.watermark), bytes };
}

async function entriesOf(
  { file, key }: { file: File; key: typeof KEY },
  end: number,
  bytes: number,
  holes: Ranges,
): Promise<Map<number, string>> {
  const window = new Window(new BlockPool(0), key);
  const from = { file, end: bytes };
  const found = new Map<number, string>();
  let next = BASE;
  for (let at = await findNextFrame(window, from, 0, next, end); at !== undefined; ) {
    const { header } = await loadFrame(window, from, at);
    const cursor = new EntryCursor();
    const { memory } = window.block!;
    cursor.open(memory, at - window.start + FRAME_HEADER_BYTES, header!.bodyBytes);
    for (let offset = header!.baseOffset; cursor.next(); offset++) {
      if (!holes.at(offset)) found.set(offset, memory.toString('utf8', cursor.start, cursor.end));
    }
    next = header!.baseOffset + header!.count;
    at = await findNextFrame(window, from, at + FRAME_HEADER_BYTES + header!.bodyBytes, next, end);
  }
  window.release();
  return found;
}

/** One batch as whole frames, filled up with zeros to whole blocks. */
function frames(
  first: number,
  watermark: number,
  epoch: number,
  texts: readonly string[],
): { bytes: Buffer; count: number } {
  const chain = new Chain(new BlockPool(0), epoch, KEY);
  chain.reset(first);
  chain.appendBatch(
    texts.map((text) => Buffer.from(text)),
    1_760_000_000_000,
    watermark,
  );
  chain.seal();
  const bytes = Buffer.allocUnsafeSlow(aligned(chain.bytes)).fill(0);
  let at = 0;
  for (const block of chain.blocks) {
    bytes.set(block.memory.subarray(0, block.used), at);
    at += block.used;
  }
  return { bytes, count: texts.length };
}

function textsOf(commit: DirectCommit, epoch: number, first: number): string[] {
  const text = (index: number, bytes: number): string =>
    `${commit} ${index} of epoch ${epoch} at ${first} `.padEnd(bytes, '.');
  if (commit === 'small') return [text(0, 30)];
  if (commit === 'several') return [text(0, 300), text(1, 2_000), text(2, 0), text(3, 3_000)];
  return [text(0, 30_000), text(1, 40_000)];
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / DIRECT_BLOCK_BYTES) * DIRECT_BLOCK_BYTES;
}

function copyOf(known: Known): Known {
  return { ...known, written: new Map(known.written), promised: new Set(known.promised) };
}

async function must<T>(world: World, promise: Promise<T>): Promise<T> {
  const driven = await world.drive('a step', promise, WAIT_ms);
  if (driven.state === 'done') return driven.value;
  throw driven.state === 'failed' ? driven.error : new Error('the process died');
}
