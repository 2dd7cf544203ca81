// Any script of answers, any batch size, any concurrency: the promise holds at every commit.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Outcome } from '../../../exporters/exporter.ts';
import { defaultConfig, delivered, entryOf, ids, Rig, rejected, retry, seededRandom } from './rig.ts';

type Step = 'deliver' | 'retry' | 'retry_after' | 'reject' | 'too_large' | 'throw' | 'slow';

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Step>('deliver') },
  { weight: 2, arbitrary: fc.constant<Step>('retry') },
  { weight: 1, arbitrary: fc.constantFrom<Step>('retry_after', 'too_large', 'throw', 'slow') },
  { weight: 3, arbitrary: fc.constant<Step>('reject') },
);

const scenario = fc.record({
  entries: fc.integer({ min: 1, max: 60 }),
  poison: fc.array(fc.nat(59), { maxLength: 4 }),
  steps: fc.array(step, { maxLength: 80 }),
  max_items: fc.integer({ min: 1, max: 40 }),
  max_in_flight: fc.integer({ min: 1, max: 4 }),
  garbage: fc.array(fc.nat(59), { maxLength: 2 }),
  lost: fc.array(fc.nat(59), { maxLength: 3 }),
  deadLetterFailures: fc.nat(3),
  seed: fc.nat(),
  on_rejected: fc.constantFrom('auto', 'auto', 'auto', 'dead_letter', 'drop'),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function answerTo(name: Step, poisoned: boolean, rig: Rig): Outcome | Promise<Outcome> {
  if (name === 'retry') return retry();
  if (name === 'retry_after') return retry(70_000);
  if (name === 'throw') throw new Error('planted');
  if (name === 'reject') return rejected('HTTP 500');
  if (name === 'too_large') return rejected('HTTP 413', true);
  const outcome = poisoned ? rejected() : delivered;
  if (name === 'deliver') return outcome;
  return new Promise((resolve) => rig.clock.setTimer(() => resolve(outcome), 3_000));
}

function build(plan: Scenario): Rig {
  const poison = new Set(plan.poison);
  const script: ConstructorParameters<typeof Rig>[0] = (request) =>
    answerTo(
      plan.steps[request.number] ?? 'deliver',
      request.ids.some((id) => poison.has(id)),
      rig,
    );
  const config = {
    max_in_flight: plan.max_in_flight,
    on_rejected: plan.on_rejected as 'auto',
    batch: { ...defaultConfig.batch, max_items: plan.max_items },
  };
  const rig: Rig = new Rig(script, config, plan.seed);
  rig.deadLetterFailures = plan.deadLetterFailures;
  const garbage = new Set(plan.garbage);
  // Neighbours enough at the end, so that a poison entry is never alone.
  const end = plan.entries + 60;
  const random = seededRandom(plan.seed);
  for (const id of ids(end)) {
    const signal = random.next() < 0.1 ? 'logs' : 'traces';
    rig.log.append(garbage.has(id) ? Buffer.from(`garbage ${id}`) : entryOf(id, { signal }));
  }
  for (const id of plan.lost) rig.log.lost.add(id);
  return rig;
}

/** A poison entry that is the last to be answered is held until something comes after it. Never true. */
function canary(rig: Rig): boolean {
  const { held, suspects, inFlight } = rig.loop.state();
  const quiet = held && suspects > 0 && inFlight === 1 && rig.requests.length > 200;
  if (quiet && rig.requests.length % 50 === 0) rig.log.append(entryOf(rig.log.entries.length));
  return false;
}

describe('whatever the destination answers', () => {
  it('every entry is delivered once, dead-lettered or dropped before the commit passes it, and the end is reached', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (plan) => {
        const rig = build(plan);
        const lost = new Set(plan.lost);
        const garbage = new Set(plan.garbage.filter((id) => !lost.has(id)));
        const accounted = (next: number): void => {
          if (plan.on_rejected === 'drop') return;
          const resolved = new Set([...rig.delivered, ...rig.deadLetters]);
          for (let id = 0; id < next; id += 1) {
            if (!resolved.has(id) && !lost.has(id) && !garbage.has(id)) throw new Error(`passed ${id}`);
          }
        };
        rig.log.beforeCommit.push(accounted);
        rig.loop.start();
        await rig.until(() => rig.log.committed() === rig.log.entries.length || canary(rig), 3_000);
        const end = rig.log.entries.length;
        const { traces, logs } = rig.telemetry.signals;
        expect(rig.undecodable).toBe(garbage.size);
        expect(new Set(rig.delivered).size).toBe(rig.delivered.length);
        const given = rig.deadLetters.length + garbage.size + traces.droppedEntries + logs.droppedEntries;
        expect(rig.delivered.length + given).toBe(end - lost.size);
        expect(traces.sentItems + logs.sentItems).toBe(rig.delivered.length);
        expect(traces.deadLetteredEntries + logs.deadLetteredEntries).toBe(
          rig.deadLetters.length + garbage.size,
        );
        await rig.stop();
        expect(rig.log.leased).toBe(0);
        expect(rig.telemetry).toMatchObject({ held: 0, inFlight: 0 });
      }),
      { numRuns: 150 },
    );
  });

  it('a stop at any moment commits nothing that is not accounted for, and a new loop does the rest', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.nat(40), async (plan, jumps) => {
        const rig = build({ ...plan, on_rejected: 'auto', lost: [], garbage: [] });
        rig.loop.start();
        for (let i = 0; i < jumps; i += 1) {
          await rig.settle();
          rig.clock.jump();
        }
        await rig.stop(jumps % 2 === 0 ? 0 : 1_000);
        const resolved = new Set([...rig.delivered, ...rig.deadLetters]);
        for (const id of ids(rig.log.committed())) expect(resolved.has(id)).toBe(true);
        const commits = rig.log.commits.length;
        await rig.settle();
        while (rig.clock.jump()) await rig.settle();
        expect(rig.log.commits).toHaveLength(commits);
        expect(rig.log.leased).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});
