// What a metrics backend that is asked with PromQL is sent, and what it has to answer. Each backend names series in its own way;
// values, and the labels that came as attributes, are the same everywhere.

import { Differs, type Held } from '../peer.ts';
import { post, type Stage } from '../stage.ts';
import { requestOf } from '../telemetry.ts';

const REQUESTS = 50;

/** Of `telemetry.ts`: what each series has to be worth for a request's index. */
interface Wanted {
  readonly series: string;
  readonly value: (index: number) => number;
}

/** A histogram of 1, 2 and 3 observations in its buckets, and what goes with it. */
function wantedOf(
  mark: string,
  name: (metric: string, kind: 'gauge' | 'sum' | 'histogram') => string,
): Wanted[] {
  const scanTime = name(`scan_time_${mark}`, 'histogram');
  return [
    { series: name(`temperature_${mark}`, 'gauge'), value: (index) => 20.5 + index },
    { series: name(`sold_${mark}`, 'sum'), value: (index) => 42 + index },
    { series: `${scanTime}_sum`, value: () => 100.5 },
    { series: `${scanTime}_count`, value: () => 6 },
    { series: `sum without (le) (${scanTime}_bucket{le=~"5|5.0"})`, value: () => 1 },
    { series: `sum without (le) (${scanTime}_bucket{le=~"50|50.0"})`, value: () => 3 },
  ];
}

/** @param url of the backend's query API. @param name of the series for a metric */
export async function compareMetrics(
  stage: Stage,
  agent: string,
  url: string,
  mark: string,
  name: (metric: string, kind: 'gauge' | 'sum' | 'histogram') => string,
): Promise<Held[]> {
  const sent = Array.from({ length: REQUESTS }, (_, index) => requestOf('metrics', mark, index));
  await post(agent, sent.slice(0, REQUESTS / 2));
  await post(agent, sent.slice(REQUESTS / 2), true);
  const held: Held[] = [];
  for (const { series, value } of wantedOf(mark, name)) {
    const wanted = new Map(sent.map((_, index) => [`${mark}-${index}`, value(index)]));
    let found = new Map<string, number>();
    await stage
      .until(`${series} has ${REQUESTS} series`, async () => {
        found = await valuesOf(url, series);
        return found.size >= wanted.size;
      })
      .catch((error: unknown) => {
        throw new Differs(`${series} has ${found.size} of ${REQUESTS} series`, (error as Error).message);
      });
    for (const [shelf, worth] of wanted) {
      if (found.get(shelf) !== worth)
        throw new Differs(`${series} of ${shelf}`, `${found.get(shelf)} instead of ${worth}`);
    }
    held.push({ way: series, compared: found.size });
  }
  return held;
}

/** What a query gives, by the attribute that tells series apart. */
async function valuesOf(url: string, query: string): Promise<Map<string, number>> {
  const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query })}`);
  const answer = (await response.json()) as {
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  return new Map(answer.data.result.map(({ metric, value }) => [metric['shelf']!, Number(value[1])]));
}
