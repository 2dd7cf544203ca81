// Bars as SVG: a group per scenario, a bar per contestant. Invariant: each group has a scale of its own, which the chart says,
// so bars are compared within a group and never across.

import type { Contestant } from '../contestants/contestant.ts';
import { spread } from '../figures.ts';
import { type Results, valuesOf } from '../results.ts';
import type { Metric, Scenario } from '../scenario.ts';

const WIDTH = 900;
const LABELS = 300;
const ROW = 18;
const GROUP_HEAD = 26;
const TOP = 44;
const VALUE_ROOM = 120;
const COLORS: Readonly<Record<string, string>> = {
  holdfast: '#0b6e4f',
  collector: '#d1495b',
  'collector-fsync': '#8d2f3e',
  'collector-memory': '#edae49',
};

/** @returns an SVG document; median as the bar, minimum and maximum as its whisker */
export function chart(
  results: Results,
  metric: Metric,
  scenarios: readonly Scenario[],
  contestants: readonly Contestant[],
): string {
  const parts: string[] = [];
  let y = TOP;
  for (const scenario of scenarios) {
    const bars = contestants
      .map(({ name, title }) => ({
        name,
        title,
        values: valuesOf(results, scenario.name, name, metric.key).map((value) => value * metric.scale),
      }))
      .filter(({ values }) => values.length > 0);
    if (bars.length === 0) continue;
    parts.push(text(8, y + 17, scenario.title, 'font-weight="bold"'));
    y += GROUP_HEAD;
    const longest = Math.max(...bars.map(({ values }) => spread(values).max));
    const scaled = (value: number): number => (value / longest) * (WIDTH - LABELS - VALUE_ROOM);
    for (const { name, title, values } of bars) {
      const { min, median, max } = spread(values);
      const middle = y + ROW / 2;
      parts.push(
        text(LABELS - 8, y + 13, title, 'text-anchor="end"'),
        `<rect x="${LABELS}" y="${y + 2}" width="${scaled(median).toFixed(1)}" height="${ROW - 4}" fill="${COLORS[name]}"/>`,
        `<path d="M${(LABELS + scaled(min)).toFixed(1)} ${middle}H${(LABELS + scaled(max)).toFixed(1)}" stroke="#222"/>`,
        text(LABELS + scaled(max) + 6, y + 13, median.toFixed(metric.digits)),
      );
      y += ROW;
    }
    y += 8;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 8}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
${text(8, 20, `${metric.title}: median, minimum to maximum; each group to its own scale`, 'font-size="14"')}
${parts.join('\n')}
</svg>
`;
}

function text(x: number, y: number, content: string, more = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" ${more}>${escaped}</text>`;
}
