// The command line of the crash tests. Invariant: whatever decides what a run does can be given here, and is printed.

import { parseArgs } from 'node:util';

export interface Options {
  readonly seed: number;
  readonly kills: number;
  readonly libraryKills: number;
  readonly side: number;
  /** Threads of each agent. */
  readonly workers: number;
  readonly only: readonly string[];
  readonly help: boolean;
}

export const help = `npm run crash -- [options]

  --kills N           of the whole agent (default 100)
  --library-kills N   of the process that holds a log and nothing else (default 300)
  --side N            how many run side by side, each in a directory of its own (default 2)
  --workers N         service.workers of each agent (default 1)
  --only NAME         one scenario; may be repeated
  --seed N            what decides sizes, ways and moments (default: from the clock). Processes are not deterministic:
                      a seed repeats what was done, not what came of it
  --help

Results go to test/sim/REPORT.md, each scenario replacing its own row (with --workers they are printed only). Exit code 1 when a promise did not hold; the
directory is then kept and named.
`;

/** @throws Error where it is not understood */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: 'string', default: '100' },
      'library-kills': { type: 'string', default: '300' },
      side: { type: 'string', default: '2' },
      workers: { type: 'string', default: '1' },
      only: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    seed: whole('seed', values.seed, 0),
    kills: whole('kills', values.kills, 1),
    libraryKills: whole('library-kills', values['library-kills'], 1),
    side: whole('side', values.side, 1),
    workers: whole('workers', values.workers, 1),
    only: values.only,
    help: values.help,
  };
}

function whole(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`--${option} is a whole number from ${least} on`);
  return value;
}
