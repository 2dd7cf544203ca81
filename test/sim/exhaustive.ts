// Every small workload, ended at every operation of the disk, with every legal subset of what was not synced: most crash
// bugs need no more than three operations. Invariants: nothing here is drawn by chance but the samples of large subsets; what
// is left out is equal, byte for byte and name for name, to what was gone through for the same promises.

import { type Chooser, changesSoFar, type Disk } from './disk.ts';
import { World } from './machine.ts';
import { deriveOptions, type RunOptions } from './options.ts';
import { SeededRandom } from './random.ts';
import { GROUPS, openSubject, readAll, type Subject } from './subject.ts';
import { eachSubset } from './subsets.ts';
import { type InvariantNumber, Violation } from './violation.ts';

export const smallSteps = ['append', 'append_large', 'refused', 'commit', 'retain', 'reopen'] as const;
export type SmallStep = (typeof smallSteps)[number];

const WAIT_ms = 60_000;

const options: RunOptions = {
  ...deriveOptions(new SeededRandom(1)),
  shards: 1,
  segment_bytes: 1024,
  segmentAge_ms: 3_600_000,
  maxSize_bytes: 1024 * 1024 * 1024,
  whenFull: 'reject',
  maxAge_ms: undefined,
  protectUnconsumed: true,
  inFlightMax_bytes: 64 * 1024 * 1024,
  offsetsInterval_ms: 600_000,
  retentionInterval_ms: 600_000,
  commitDeadline_ms: 30_000,
  minFreeSpace_bytes: 0,
  secondGroupProtects: true,
  maxLag_bytes: undefined,
  maxLag_ms: undefined,
  minSegments: 0,
  keepConsumed_bytes: undefined,
  forceDeleteAfter_ms: undefined,
  compressed: false,
};

/** What was asked and answered before the end. */
interface Expected {
  readonly commitWay: RunOptions['commitWay'];
  /** By offset: what was ever appended there. */
  readonly appended: Map<number, Buffer>;
  readonly acknowledged: Set<number>;
  readonly batches: { readonly first: number; readonly count: number }[];
  committed: number;
  durable: number;
  /** Grows with every change of the above. */
  version: number;
}

/** A machine at the instant at which its process ended, and what the process had promised by then. */
interface Ended {
  readonly disk: Disk;
  readonly expected: Expected;
  readonly where: string;
}

/** All workloads of up to `length` steps. */
export function workloads(length: number): SmallStep[][] {
  const all: SmallStep[][] = [];
  let last: SmallStep[][] = [[]];
  for (let step = 0; step < length; step++) {
    last = last.flatMap((begun) => smallSteps.map((next) => [...begun, next]));
    all.push(...last);
  }
  return all;
}

export interface Exhausted {
  /** Process ends that were forced. */
  crashes: number;
  /** Openings after one that were checked: fewer, since what leaves the same disk behind is recovered once. */
  recoveries: number;
}

/**
 * Ends the last step of the workload at every operation, in every way; what comes before is the business of shorter workloads.
 * @throws Violation
 */
export async function exhaust(
  steps: readonly SmallStep[],
  subsetsMax: number,
  commitWay: RunOptions['commitWay'] = 'append',
): Promise<Exhausted> {
  const search = new Search();
  for (const { disk, expected, where } of await ends(steps, commitWay)) {
    await search.recover(disk, undefined, expected, `${where} by a kill`);
    await eachSubset(
      (choose) => search.recover(disk, choose, expected, `${where} by a power cut`),
      subsetsMax,
    );
    disk.release();
  }
  return search.done;
}

/**
 * Runs the workload once and keeps the machine as it stands before and after each operation of the last step. Between two
 * instants that differ in nothing, such as before and after a read, only the first is kept.
 */
async function ends(steps: readonly SmallStep[], commitWay: RunOptions['commitWay']): Promise<Ended[]> {
  const world = new World(1);
  const expected: Expected = {
    commitWay,
    appended: new Map(),
    acknowledged: new Set(),
    batches: [],
    committed: 0,
    durable: 0,
    version: 0,
  };
  let subject = await settled(world, openSubject(world, { ...options, commitWay: expected.commitWay }));
  if (!subject) throw new Violation(14, 'an empty directory does not open');
  // What a log consists of must be there first: steps on an empty one would be few.
  await appendSmall(world, subject, expected, 'before');
  const found: Ended[] = [];
  let seen = '';
  const keep = (name: string, path: string): void => {
    const now = `${changesSoFar()} ${expected.version}`;
    if (now === seen) return;
    const where = `${steps.join(', ')} ended at ${name} of ${path}`;
    found.push({ disk: world.disk.clone(), expected: copyOf(expected), where });
    seen = `${changesSoFar()} ${expected.version}`;
  };
  for (const [index, step] of steps.entries()) {
    const atBoundary = index === steps.length - 1 ? keep : undefined;
    world.process.atBoundary = atBoundary;
    if (step === 'reopen') {
      await settled(world, subject.log.close());
      world.restart();
      world.process.atBoundary = atBoundary;
      subject = await settled(world, openSubject(world, { ...options, commitWay: expected.commitWay }));
      if (!subject) throw new Violation(14, `${steps.join(', ')}: the log does not open again`);
    } else await perform(world, subject, expected, step);
  }
  keep('the end', '');
  world.process.die();
  world.disk.release();
  return found;
}

function copyOf(expected: Expected): Expected {
  return {
    ...expected,
    appended: new Map(expected.appended),
    acknowledged: new Set(expected.acknowledged),
    batches: [...expected.batches],
  };
}

async function perform(
  world: World,
  subject: Subject,
  expected: Expected,
  step: Exclude<SmallStep, 'reopen'>,
): Promise<void> {
  const shard = subject.shards[0]!;
  if (step === 'append') await appendSmall(world, subject, expected, 'small');
  else if (step === 'append_large')
    await append(
      world,
      subject,
      expected,
      ['a', 'b', 'c'].map((text) => text.repeat(40_000)),
    );
  else if (step === 'refused') {
    world.faults.syncError = 1;
    await appendSmall(world, subject, expected, 'refused');
    world.faults.heal();
    await world.pass(10_000);
  } else if (step === 'commit') {
    const next = shard.highWatermark;
    expected.committed = next;
    expected.version += 1;
    for (const name of GROUPS) void subject.groups[name].commit(shard, next).catch(() => {});
    const flushed = await settled(
      world,
      subject.groups[GROUPS[0]].flush().then(() => true),
    );
    if (flushed) {
      expected.durable = next;
      expected.version += 1;
    }
  } else await settled(world, subject.log.retain());
}

function appendSmall(world: World, subject: Subject, expected: Expected, text: string): Promise<void> {
  return append(world, subject, expected, [`${text} 1 `.padEnd(400, '.'), `${text} 2 `.padEnd(400, '.')]);
}

async function append(
  world: World,
  subject: Subject,
  expected: Expected,
  texts: readonly string[],
): Promise<void> {
  const shard = subject.shards[0]!;
  const entries = texts.map((text) => Buffer.from(text));
  const first = shard.append(entries);
  expected.version += 1;
  expected.batches.push({ first, count: texts.length });
  for (const [index, entry] of entries.entries()) expected.appended.set(first + index, entry);
  const acknowledged = await settled(
    world,
    shard.durable(first).then(() => true),
  );
  if (!acknowledged) return;
  expected.version += 1;
  for (const index of texts.keys()) expected.acknowledged.add(first + index);
}

/** The value, or undefined where the promise was rejected or the process died. */
async function settled<T>(world: World, promise: Promise<T>): Promise<T | undefined> {
  const driven = await world.drive('a small step', promise, WAIT_ms);
  return driven.state === 'done' ? driven.value : undefined;
}

const takesAll: Chooser = { pick: (count) => (count > 1 ? 1 : 0) };

/** The recoveries of one workload. */
class Search {
  readonly done: Exhausted = { crashes: 0, recoveries: 0 };
  /** Disks that were recovered, with what was expected of them. */
  readonly #seen = new Set<string>();

  /** Opens what is left, checks it, appends once more, takes the power again, and finds all of it. */
  async recover(left: Disk, choose: Chooser | undefined, expected: Expected, where: string): Promise<void> {
    const world = new World(1, false, left.clone());
    this.done.crashes += 1;
    if (choose) world.disk.powerCut(choose);
    else world.disk.processDied();
    // After a kill the disk is more than what can be seen of it.
    if (!choose || this.#isNew(world.disk, `${expected.version}`)) {
      await this.#recoverTwice(world, expected, where);
    }
    world.process.die();
    world.disk.release();
  }

  async #recoverTwice(world: World, expected: Expected, where: string): Promise<void> {
    this.done.recoveries += 1;
    const found = await check(world, expected, where);
    const more = await settled(world, appendAcknowledged(found.subject));
    if (more === undefined) fail(14, where, 'nothing can be appended afterwards');
    this.done.crashes += 1;
    world.process.die();
    world.disk.powerCut(takesAll);
    const shown = [...found.present, more!];
    if (!this.#isNew(world.disk, `${expected.version} ${shown}`)) return;
    world.restart();
    this.done.recoveries += 1;
    const again = await check(world, expected, `${where}, then another power cut`);
    for (const offset of shown) {
      if (!again.present.has(offset))
        fail(5, where, `offset ${offset} was shown and is gone after another power cut`);
    }
  }

  #isNew(disk: Disk, expected: string): boolean {
    const before = this.#seen.size;
    this.#seen.add(`${disk.fingerprint()} ${expected}`);
    return this.#seen.size > before;
  }
}

async function appendAcknowledged(subject: Subject): Promise<number> {
  const offset = subject.shards[0]!.append([CANARY]);
  await subject.shards[0]!.durable(offset);
  return offset;
}

const CANARY = Buffer.from('appended after recovery');

async function check(
  world: World,
  expected: Expected,
  where: string,
): Promise<{ subject: Subject; present: Set<number> }> {
  const opened = await world.drive(
    'open',
    openSubject(world, { ...options, commitWay: expected.commitWay }),
    WAIT_ms,
  );
  world.process.recovering = false;
  if (opened.state !== 'done')
    fail(14, where, `the log does not open: ${opened.state === 'failed' ? opened.error : ''}`);
  const subject = (opened as { value: Subject }).value;
  const shard = subject.shards[0]!;
  const present = new Set<number>();
  await settled(
    world,
    readAll(shard, (offset, bytes) => {
      if (!CANARY.equals(bytes) && !expected.appended.get(offset)?.equals(bytes))
        fail(3, where, `offset ${offset} holds what it never got`);
      present.add(offset);
    }),
  );
  for (const offset of expected.acknowledged) {
    if (offset >= shard.logStart && !present.has(offset))
      fail(1, where, `acknowledged offset ${offset} is gone`);
  }
  if (shard.logStart > expected.committed)
    fail(7, where, `the log starts at ${shard.logStart}, not consumed`);
  for (const { first, count } of expected.batches) {
    let there = 0;
    for (let offset = first; offset < first + count; offset++) if (present.has(offset)) there += 1;
    const reused = first + count > shard.highWatermark - 1 && there < count;
    if (there !== 0 && there !== count && !reused)
      fail(2, where, `${there} of ${count} entries of the batch at ${first} are there`);
  }
  const committed = subject.groups[GROUPS[0]].committed(shard);
  if (committed < expected.durable || committed > expected.committed) {
    fail(6, where, `committed is ${committed}, not ${expected.durable} to ${expected.committed}`);
  }
  const account = shard.account();
  const sums = account.appended + account.failed === shard.highWatermark && account.retained === present.size;
  if (!sums || account.quarantined > 0) fail(8, where, JSON.stringify(account));
  return { subject, present };
}

function fail(invariant: InvariantNumber, where: string, message: string): never {
  throw new Violation(invariant, `${where}: ${message}`);
}
