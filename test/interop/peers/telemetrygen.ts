// telemetrygen, the Go SDK at work, in front of Holdfast. It does not tell what it sends, but by its options it is known: how
// many items, with which attributes, and that a child span has its parent in the same trace.

import type { Signal } from '../../../otlp/signal.ts';
import { signals } from '../../../otlp/signal.ts';
import { missing, telemetrygen as program } from '../installed.ts';
import { itemsOf } from '../items.ts';
import { Differs, type Held, type Peer } from '../peer.ts';
import type { Stage } from '../stage.ts';

const ITEMS = 250;
const CHILDREN = 2;

type Attributes = readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
/** What of an item is looked at. */
interface Item {
  readonly name?: string;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly attributes?: Attributes;
}

export const telemetrygen: Peer = {
  name: 'telemetrygen',
  summary: "the Go SDK's load generator, in front",
  missing: () => missing(program),
  async run(stage) {
    const agent = await stage.simpleAgent();
    const held: Held[] = [];
    for (const protocol of ['http', 'grpc'] as const) {
      const endpoint = agent.endpoint(protocol).replace('http://', '');
      for (const signal of signals) {
        const way = `${protocol}, ${signal}`;
        const mark = `${protocol}-${signal}`;
        await stage.complete(program.file, [
          signal,
          `--${signal}=${ITEMS}`,
          `--otlp-endpoint=${endpoint}`,
          '--otlp-insecure',
          '--rate=0',
          `--service=${mark}`,
          '--telemetry-attributes=answer=42',
          '--telemetry-attributes=words=["größer","买"]',
          ...(protocol === 'http' ? ['--otlp-http'] : []),
          ...(signal === 'traces' ? [`--child-spans=${CHILDREN}`] : []),
        ]);
        held.push({ way, compared: await arrived(stage, signal, mark) });
      }
    }
    return held;
  },
};

async function arrived(stage: Stage, signal: Signal, mark: string): Promise<number> {
  const wanted = signal === 'traces' ? ITEMS * (1 + CHILDREN) : ITEMS;
  const found = (): Item[] => {
    const mine = stage.backend.received.filter((each) => each.signal === signal && each.body.includes(mark));
    return [...itemsOf(mine)].map((text) => (JSON.parse(text) as unknown[])[5] as Item);
  };
  await stage.until(`${wanted} ${mark}`, async () => found().length >= wanted);
  const items = found();
  if (items.length !== wanted) throw new Differs(`${mark}: ${items.length} items instead of ${wanted}`, '');
  if (signal === 'traces') checkFamilies(mark, items);
  if (signal === 'metrics') return items.length;
  for (const item of items) {
    const answer = item.attributes?.find(({ key }) => key === 'answer')?.value['intValue'];
    const words = JSON.stringify(item.attributes?.find(({ key }) => key === 'words')?.value);
    if (String(answer) !== '42' || !words.includes('größer') || !words.includes('买')) {
      throw new Differs(`${mark}: an item without its attributes`, JSON.stringify(item));
    }
  }
  return items.length;
}

function checkFamilies(mark: string, spans: readonly Item[]): void {
  const ids = new Set(spans.map(({ traceId, spanId }) => `${traceId} ${spanId}`));
  const children = spans.filter(({ parentSpanId }) => parentSpanId !== '');
  const orphans = children.filter(({ traceId, parentSpanId }) => !ids.has(`${traceId} ${parentSpanId}`));
  if (children.length !== ITEMS * CHILDREN || orphans.length > 0) {
    throw new Differs(`${mark}: ${children.length} children, ${orphans.length} of them without a parent`, '');
  }
}
