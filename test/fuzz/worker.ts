// Runs the checks of parsers in a thread of its own, so that one which never ends can be ended. Invariant: the input under
// check stands in shared memory before the check begins.

import { parentPort } from 'node:worker_threads';
import { SeededRandom } from '../sim/random.ts';
import { largest, watchAllocations } from './allocations.ts';
import { type Failure, type Found, INPUT_AT, type Job } from './job.ts';
import { mutated } from './mutate.ts';
import { type Parser, promise, type Verdict } from './parser.ts';
import { planted } from './parsers/planted.ts';
import { parsers } from './parsers.ts';

const ALLOCATION_MAX_BYTES = 1024 * 1024;
const SHRINK_CHECKS_MAX = 3_000;

/** Where the driver looks. */
let progress: Int32Array = new Int32Array(INPUT_AT / 4);
let inputs: Buffer<ArrayBufferLike> = Buffer.alloc(0);

/** @throws what `check` throws, and where it asks for too much memory */
async function check(parser: Parser, input: Buffer): Promise<Verdict> {
  progress[1] = input.copy(inputs);
  progress[0]! += 1;
  const copy = Buffer.from(input);
  largest.bytes = 0;
  const verdict = await parser.check(copy);
  const limit = parser.allocationMax_bytes ?? ALLOCATION_MAX_BYTES;
  promise(largest.bytes <= limit, `${largest.bytes} bytes were asked for at once, ${limit} are enough`);
  return verdict;
}

async function failureOf(parser: Parser, input: Buffer): Promise<string | undefined> {
  try {
    await check(parser, input);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** Numbers change while an input shrinks; what is broken does not. */
const kindOf = (failure: string): string => failure.split('\n', 1)[0]!.replace(/\d+/g, '#');

/** Takes out pieces as long as the same thing is broken. */
async function shrink(parser: Parser, first: Buffer, failure: string): Promise<Buffer> {
  let input = first;
  let checks = 0;
  for (let bytes = input.length >> 1; bytes >= 1; bytes >>= 1) {
    for (let at = 0; at < input.length && checks < SHRINK_CHECKS_MAX; checks++) {
      const smaller = Buffer.concat([input.subarray(0, at), input.subarray(at + bytes)]);
      const said = await failureOf(parser, smaller);
      if (said !== undefined && kindOf(said) === kindOf(failure)) input = smaller;
      else at += bytes;
    }
  }
  return input;
}

async function run(parser: Parser, job: Job): Promise<Found> {
  const random = new SeededRandom(job.seed).fork(parser.name);
  const counts = { accepted: 0, refused: 0 };
  const given = [...parser.seeds, ...job.corpus.map((bytes) => Buffer.from(bytes))];
  for (let index = 0; index < given.length + job.runs; index++) {
    const input = given[index] ?? mutated(parser, random);
    try {
      counts[await check(parser, input)] += 1;
    } catch (error) {
      const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const smallest = await shrink(parser, input, failure);
      const found: Failure = { message: failure, input: new Uint8Array(smallest), at: index - given.length };
      return { ...counts, failure: found };
    }
  }
  return counts;
}

watchAllocations();
parentPort!.on('message', async (job: Job) => {
  progress = new Int32Array(job.shared, 0, INPUT_AT / 4);
  inputs = Buffer.from(job.shared, INPUT_AT);
  const parser = [...parsers, planted].find(({ name }) => name === job.parser)!;
  parentPort!.postMessage(await run(parser, job));
});
