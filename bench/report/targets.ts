// By how much each target is met or missed beside the Collector, and why: the ratio within the run, and the absolute figure that
// it stood for when the target was set. Invariant: every word of a reason follows from figures or stands with its scenario.

import type { ContestantName } from '../contestants/contestant.ts';
import { show, spread } from '../figures.ts';
import { type Results, ratiosOf, valuesOf } from '../results.ts';
import { scenarios } from '../scenario.ts';
import { table } from './tables.ts';

/** A figure beside that of the Collector in its default form. */
interface OtherTarget {
  readonly scenario: string;
  readonly key: string;
  readonly says: string;
  /** Multiplies what was measured into the unit of `says` and of `collector`. */
  readonly scale: number;
  /** The ratio that Holdfast must have. */
  readonly atLeast: number;
  /** What the Collector had when the target was set. */
  readonly collector: number;
  /** Whether more is better: rates are compared the other way round than costs. */
  readonly moreIsBetter: boolean;
}

const drain = (scenario: string, count: string): readonly OtherTarget[] => [
  {
    scenario,
    key: 'items_per_s',
    says: `cold drain of ${count}, k spans/s`,
    scale: 1e-3,
    atLeast: 5,
    collector: 170,
    moreIsBetter: true,
  },
  {
    scenario,
    key: 'cpu_s_per_million',
    says: `cold drain of ${count}, CPU s per million`,
    scale: 1,
    atLeast: 6,
    collector: 8.1,
    moreIsBetter: false,
  },
];

const others: readonly OtherTarget[] = [
  {
    scenario: 'plain',
    key: 'items_per_s',
    says: '512-span requests end to end, k spans/s',
    scale: 1e-3,
    atLeast: 5,
    collector: 92,
    moreIsBetter: true,
  },
  ...drain('backlog', '1 M'),
  ...drain('backlog-10m', '10 M'),
  {
    scenario: 'paced-100k',
    key: 'ack_ms_p99',
    says: 'ack p99 at 100 k spans/s, ms',
    scale: 1,
    atLeast: 4,
    collector: 40,
    moreIsBetter: false,
  },
];

/** By how much Holdfast is better than `than`, round by round. */
export function advantage(results: Results, scenario: string, than: ContestantName): number[] {
  return ratiosOf(results, scenario, 'cpu_s_per_million', than, 'holdfast');
}

export function targetTables(results: Results): string {
  return `How many times less CPU an item costs than in the Collector with its queue on disk, without fsync; medians of the ratios within each round.

${costTargets(results)}

The same in absolute figures, CPU seconds per million items: what the Collector took when the target was set, what it takes here, and what the ratios come to. A ratio is judged within the run; where it is missed, this says whether that is Holdfast or the Collector.

${absoluteTargets(results)}

${otherTargets(results)}`;
}

function costTargets(results: Results): string {
  const rows = scenarios.flatMap((scenario) => {
    const ratios = advantage(results, scenario.name, 'collector');
    if (scenario.target === undefined || ratios.length === 0) return [];
    const fsynced = advantage(results, scenario.name, 'collector-fsync');
    const memory = advantage(results, scenario.name, 'collector-memory');
    const { must, wants } = scenario.target;
    return [
      [
        scenario.title,
        ratioText(ratios),
        `${must} ×`,
        ratioVerdict(ratios, must),
        `${wants} ×`,
        ratioVerdict(ratios, wants),
        ratioText(fsynced),
        ratioText(memory),
      ],
    ];
  });
  return table(
    ['', 'less than on disk', 'must', '', 'wants', '', 'less than on disk, fsync', 'less than memory only'],
    rows,
  );
}

function absoluteTargets(results: Results): string {
  const rows = scenarios.flatMap(({ name, title, target }) => {
    const [own, theirs] = (['holdfast', 'collector'] as const).map((contestant) =>
      valuesOf(results, name, contestant, 'cpu_s_per_million'),
    ) as [number[], number[]];
    if (target === undefined || own.length === 0 || theirs.length === 0) return [];
    const { must, wants, collector_cpu_s, bound } = target;
    const figures = { before: collector_cpu_s, now: spread(theirs).median, own: spread(own).median };
    const ratio = spread(advantage(results, name, 'collector')).median;
    const limits = [must, wants].map((factor) => collector_cpu_s / factor);
    const bounded = figures.own > limits[1]! ? bound : undefined;
    const why = ratio >= wants ? '' : reasonOf(figures, ratio < must ? must : wants, bounded);
    return [
      [
        title,
        figure(collector_cpu_s),
        show(theirs, 1),
        show(own, 2),
        ...limits.flatMap((limit) => [`≤ ${figure(limit)}`, limitVerdict(own, limit, false)]),
        why,
      ],
    ];
  });
  return table(
    [
      '',
      'Collector then',
      'Collector here',
      'Holdfast here',
      'must',
      '',
      'wants',
      '',
      'why a ratio is missed',
    ],
    rows,
  );
}

function otherTargets(results: Results): string {
  const rows = others.flatMap(({ scenario, key, says, scale, atLeast, collector, moreIsBetter }) => {
    const [over, under] = moreIsBetter
      ? (['holdfast', 'collector'] as const)
      : (['collector', 'holdfast'] as const);
    const ratios = ratiosOf(results, scenario, key, over, under);
    if (ratios.length === 0) return [];
    const [own, theirs] = (['holdfast', 'collector'] as const).map((contestant) =>
      valuesOf(results, scenario, contestant, key).map((value) => value * scale),
    ) as [number[], number[]];
    const figures = { before: collector, now: spread(theirs).median, own: spread(own).median };
    const limit = moreIsBetter ? collector * atLeast : collector / atLeast;
    const isMet = spread(ratios).median >= atLeast;
    return [
      [
        says,
        ratioText(ratios),
        `${atLeast} ×`,
        ratioVerdict(ratios, atLeast),
        figure(collector),
        show(theirs, 1),
        show(own, 1),
        `${moreIsBetter ? '≥' : '≤'} ${figure(limit)}`,
        limitVerdict(own, limit, moreIsBetter),
        isMet ? '' : reasonOf(figures, atLeast, undefined, moreIsBetter),
      ],
    ];
  });
  return table(
    [
      '',
      'better than on disk',
      'must',
      '',
      'Collector then',
      'Collector here',
      'Holdfast here',
      'must',
      '',
      'why a ratio is missed',
    ],
    rows,
  );
}

interface Compared {
  /** Of the Collector: when the target was set, and in this run. */
  readonly before: number;
  readonly now: number;
  readonly own: number;
}

/** Why the ratio `factor` is missed: what the Collector does better here than then, and whether the own figure is what was asked. */
export function reasonOf(
  { before, now, own }: Compared,
  factor: number,
  bound?: string,
  moreIsBetter = false,
): string {
  const limit = moreIsBetter ? before * factor : before / factor;
  const isEnough = moreIsBetter ? own >= limit : own <= limit;
  const isBetterNow = moreIsBetter ? now > before : now < before;
  const collector = isBetterNow ? `the Collector has ${figure(now)} here, not ${figure(before)}; ` : '';
  const percent = Math.round(Math.abs(own / limit - 1) * 100);
  const side = moreIsBetter ? 'below' : 'above';
  const stands = isEnough ? 'meets' : `is ${percent} % ${side}`;
  const ends = bound === undefined ? '' : `; ${bound}`;
  return `${collector}Holdfast's ${figure(own)} ${stands} the ${figure(limit)} of the ${factor} ×${ends}`;
}

function figure(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 });
}

function ratioText(ratios: readonly number[]): string {
  return ratios.length === 0 ? '' : `${show(ratios, 1)} ×`;
}

function ratioVerdict(ratios: readonly number[], atLeast: number): string {
  return verdict(spread(ratios).median / atLeast);
}

/** By how much `values` are within `limit`, or beyond it. */
export function limitVerdict(values: readonly number[], limit: number, moreIsBetter: boolean): string {
  const { median } = spread(values);
  return verdict(moreIsBetter ? median / limit : limit / median);
}

/** @param share 1: met exactly */
function verdict(share: number): string {
  const percent = Math.round(Math.abs(share - 1) * 100);
  return share >= 1 ? `met by ${percent} %` : `**missed** by ${percent} %`;
}
