// The part of the fuzzing that every build runs: right inputs, everything that ever went wrong, and a short run of mutations
// with a seed that does not change.

import { afterAll, describe, expect, it, test } from '@jest/globals';
import { SeededRandom } from '../sim/random.ts';
import { inputOf, readCorpus } from './corpus.ts';
import { Driver } from './driver.ts';
import { mutated } from './mutate.ts';
import { parsers } from './parsers.ts';

const seed = Number(process.env['SEED'] ?? 20_261_121);
const SHORT_RUN = 600;
const driver = new Driver();

afterAll(() => driver.close());

describe(`a parser keeps its promise (SEED=${seed})`, () => {
  test.each(parsers.map((parser) => [parser.name, parser] as const))('%s', async (name, parser) => {
    const corpus = readCorpus(name);
    const found = await driver.fuzz(name, seed, parser.shortRun ?? SHORT_RUN, corpus);
    const input = found.failure && Buffer.from(found.failure.input).toString('hex');
    expect({ failure: found.failure?.message, input }).toEqual({ failure: undefined, input: undefined });
    // A fuzzer whose inputs all end the same way looks at nothing but the door.
    expect(found.accepted).toBeGreaterThan(0);
    expect(found.refused > 0 || parser.refusesNothing).toBe(true);
  });
});

describe('the fuzzer itself', () => {
  it('makes the same inputs of the same seed', () => {
    for (const parser of parsers) {
      const inputs = [1, 1, 2].map((each) => {
        const random = new SeededRandom(each);
        return Buffer.concat(Array.from({ length: 50 }, () => mutated(parser, random))).toString('hex');
      });
      expect(inputs[0]).toBe(inputs[1]);
      expect(inputs[0]).not.toBe(inputs[2]);
    }
  });

  it('finds what is broken and makes it small', async () => {
    const { failure } = await driver.fuzz('planted', seed, 20_000, []);
    expect(failure?.message).toContain('planted');
    expect(Buffer.from(failure!.input).toString()).toBe('!!');
  });

  it('ends what does not end', async () => {
    const impatient = new Driver(500);
    const { failure } = await impatient.fuzz('planted', seed, 0, [Buffer.from('for ever')]);
    expect(failure?.message).toBe('it does not end');
    expect(Buffer.from(failure!.input).toString()).toBe('for ever');
  });

  it('sees memory that is asked for', async () => {
    const { failure } = await driver.fuzz('planted', seed, 0, [Buffer.from('a lot')]);
    expect(failure?.message).toContain('200000000 bytes were asked for at once');
    expect(Buffer.from(failure!.input).toString()).toBe('a lot');
  });

  it('reads bytes with comments, and refuses what is none', () => {
    expect(inputOf('a.hex', Buffer.from('00 ff # a comment\n7F'))).toEqual(Buffer.from([0, 255, 127]));
    expect(inputOf('a.txt', Buffer.from('# all of it'))).toEqual(Buffer.from('# all of it'));
    expect(() => inputOf('a.hex', Buffer.from('0'))).toThrow('no input');
  });
});
