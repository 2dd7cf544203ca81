// The load of the benchmark, a process of its own: sends prepared bodies over a number of connections, each waiting for
// its answer before the next, and reports how long answers took.

import { gzipSync } from 'node:zlib';
import { Pool } from 'undici';
import { SPANS_PER_REQUEST, tracesRequest } from './payload.ts';

export interface Load {
  readonly url: string;
  readonly requests: number;
  readonly connections: number;
  readonly gzip: boolean;
}

export interface LoadResult {
  readonly wall_ms: number;
  readonly sentBytes: number;
  readonly refused: number;
  readonly ack_ms: { readonly p50: number; readonly p99: number };
}

const VARIANTS = 32;
const bodies = Array.from({ length: VARIANTS }, (_, index) => tracesRequest(index + 1, SPANS_PER_REQUEST));
const zipped = bodies.map((body) => gzipSync(body, { level: 6 }));

async function run(load: Load): Promise<LoadResult> {
  const pool = new Pool(load.url, { connections: load.connections, pipelining: 1 });
  const headers: Record<string, string> = { 'content-type': 'application/x-protobuf' };
  if (load.gzip) headers['content-encoding'] = 'gzip';
  const chosen = load.gzip ? zipped : bodies;
  const latencies_ms: number[] = [];
  let next = 0;
  let sentBytes = 0;
  let refused = 0;
  const worker = async (): Promise<void> => {
    while (next < load.requests) {
      const body = chosen[next++ % VARIANTS]!;
      const started = performance.now();
      const response = await pool.request({ method: 'POST', path: '/v1/traces', headers, body });
      await response.body.dump();
      if (response.statusCode === 200) {
        sentBytes += body.length;
        latencies_ms.push(performance.now() - started);
      } else refused += 1;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: load.connections }, worker));
  const wall_ms = performance.now() - started;
  await pool.close();
  latencies_ms.sort((a, b) => a - b);
  const at = (share: number): number => latencies_ms[Math.floor(latencies_ms.length * share)] ?? 0;
  return { wall_ms, sentBytes, refused, ack_ms: { p50: at(0.5), p99: at(0.99) } };
}

process.on('message', (load: Load) => {
  run(load).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
process.send?.({ ready: { requestBytes: bodies[0]!.length, zippedBytes: zipped[0]!.length } });
