// The proof that the simulations can fail: every planted bug is found, and within the seeds that it is known to take. How
// long each stays hidden over several ranges of seeds is what `npm run sim:planted` says.

import { describe, expect, it } from '@jest/globals';
import { DRAIN_STEPS } from './drain_options.ts';
import { DrainRun } from './drain_run.ts';
import { discover } from './find_planted.ts';
import { profiles } from './options.ts';
import { plantedBugs } from './planted.ts';
import { Run } from './run.ts';

const BUDGET = 100;
/** Of those that stay hidden for longer than most. */
const BUDGETS: Readonly<Record<string, number>> = { offsets_in_one_slot: 300, unconsumed_not_protected: 300 };
/** Where to begin for those that take long: a little before a seed that shows them. */
const FIRST: Readonly<Record<string, number>> = {
  age_by_the_wall_clock: 28,
  checksum_not_checked: 16,
  damage_not_counted: 16,
  dead_letter_without_room_counts: 36,
  given_up_after_five_minutes: 16,
  offsets_in_one_slot: 11,
  read_ahead_kept_over_a_recycled_segment: 230,
  removed_before_the_account_is_durable: 15,
  request_without_time_out: 14,
  short_write_taken_for_whole: 15,
  sync_error_swallowed: 180,
  sync_retried: 138,
  unconsumed_not_protected: 41,
};

/** What RELIABILITY's catalogue asks for, and where it is. */
const CATALOGUE: Readonly<Record<string, string>> = {
  'ack before fsync': 'sync_does_nothing',
  'unlink before the pointer is durable': 'removed_before_the_account_is_durable',
  'directory not fsynced': 'directory_not_synced',
  'empty tail file': 'empty_tail_file_refused',
  'missing tail file': 'missing_tail_file',
  'fsync retried': 'sync_retried',
  'offset reset to zero': 'offsets_reset_to_zero',
  'corruption truncates all later data': 'corruption_truncates_the_rest',
  'index trusted over data': 'index_trusted_over_data',
  'reader passes the watermark': 'reader_passes_the_watermark',
  'protect-unconsumed reads the wrong offsets': 'unconsumed_not_protected',
  'shutdown deletes queued items': 'shutdown_commits_what_is_in_flight',
  'acknowledged from a user buffer': 'acknowledged_from_a_user_buffer',
  '65,535 wrap': 'offsets_wrap_at_65535',
};

describe('the catalogue of planted bugs', () => {
  it('holds every bug that the specification names, and thirty at least', () => {
    for (const name of Object.values(CATALOGUE)) expect(Object.keys(plantedBugs)).toContain(name);
    expect(Object.keys(plantedBugs).length).toBeGreaterThanOrEqual(30);
  });

  it.each(Object.keys(plantedBugs))('is not blind to %s', async (name) => {
    expect(await discover(name, FIRST[name] ?? 1, BUDGETS[name] ?? BUDGET)).toBeDefined();
  });

  it('leaves nothing of any of them behind', async () => {
    await new Run({ seed: 3, steps: profiles.long.steps }).execute();
    await new DrainRun({ seed: 3, steps: DRAIN_STEPS }).execute();
  });
});
