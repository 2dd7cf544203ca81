// The load of the benchmark, a process of its own: sends prepared bodies over a number of connections, each waiting for
// its answer before the next, as fast as answers come or at a pace, and reports how long answers took.

import { setTimeout as pause } from 'node:timers/promises';
import { type Body, type BodyKind, bodiesOf, signalOf } from './bodies.ts';
import { clientsOf, grpcSender, httpSender, poolOf } from './senders.ts';

export interface Load {
  /** http://host:port of the protocol. */
  readonly url: string;
  readonly protocol: 'http' | 'grpc';
  readonly body: BodyKind;
  readonly gzip: boolean;
  readonly connections: number;
  /** Each in turn, as so many clients would be; otherwise the first that is free, which at a low pace is always the same one. */
  readonly inTurn?: boolean;
  readonly requests: number;
  /** Without it: as fast as answers come. */
  readonly requestsPerSecond?: number;
}

export interface LoadResult {
  readonly wall_ms: number;
  readonly sentItems: number;
  readonly refused: number;
  readonly ack_ms: { readonly p50: number; readonly p99: number };
}

const prepared = new Map<string, readonly Body[]>();

function bodiesFor({ body, gzip }: Load): readonly Body[] {
  const key = `${body}, ${gzip}`;
  const bodies = prepared.get(key) ?? bodiesOf(body, gzip);
  prepared.set(key, bodies);
  return bodies;
}

async function run(load: Load): Promise<LoadResult> {
  const { url, connections, requestsPerSecond } = load;
  const signal = signalOf[load.body];
  const bodies = bodiesFor(load);
  const sender =
    load.protocol === 'grpc'
      ? grpcSender(url, signal, connections)
      : httpSender(signal, load.gzip, load.inTurn ? clientsOf(url, connections) : poolOf(url, connections));
  const latencies_ms: number[] = [];
  let next = 0;
  let sentItems = 0;
  let refused = 0;
  const started_ms = performance.now();
  /** When request `index` is due: answers count from there at a pace, also where the generator itself was late (open loop). */
  const begin = async (index: number): Promise<number> => {
    const now_ms = performance.now();
    if (requestsPerSecond === undefined) return now_ms;
    const due_ms = started_ms + (index * 1000) / requestsPerSecond;
    if (due_ms > now_ms) await pause(due_ms - now_ms);
    return due_ms;
  };
  const worker = async (lane: number): Promise<void> => {
    while (next < load.requests) {
      const index = next++;
      const { bytes, items } = bodies[index % bodies.length]!;
      const begun_ms = await begin(index);
      if (await sender.send(bytes, lane)) {
        sentItems += items;
        latencies_ms.push(performance.now() - begun_ms);
      } else refused += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, lane) => worker(lane)));
  const wall_ms = performance.now() - started_ms;
  await sender.close();
  latencies_ms.sort((a, b) => a - b);
  const at = (share: number): number => latencies_ms[Math.floor(latencies_ms.length * share)] ?? 0;
  return { wall_ms, sentItems, refused, ack_ms: { p50: at(0.5), p99: at(0.99) } };
}

process.on('message', (load: Load) => {
  run(load).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
process.send?.({ ready: {} });
