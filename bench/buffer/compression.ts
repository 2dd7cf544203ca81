// Compression of frames: what it costs and saves by itself, for frames of OTLP spans, and what it does to a log that is
// written durably. Invariant: what was compressed is decompressed and compared.

import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { looksCompressible } from '../../buffer/compression.ts';
import { Log, zstdCodec } from '../../buffer/index.ts';
import { tracesRequest } from '../load/payload.ts';
import { drain } from './drain.ts';
import type { Figure, Setting } from './figure.ts';

const FRAME_BYTES = 64 * 1024;
const CALLS = 300;

interface Cost {
  readonly cpu_ms_per_MB: number;
  readonly latency_ms: number;
}

export async function measureCompression(setting: Setting): Promise<Figure[]> {
  const spans = tracesRequest(7, 4096);
  const frames: Buffer[] = [];
  for (let at = 0; at + FRAME_BYTES <= spans.length; at += FRAME_BYTES) {
    frames.push(Buffer.from(spans.subarray(at, at + FRAME_BYTES)));
  }
  const figures: Figure[] = [];
  for (const level of [1, 3]) {
    const packed = await Promise.all(frames.map((frame) => zstdCodec.compress(frame, level)));
    const stored = packed.reduce((sum, each) => sum + each.length, 0);
    const back = await zstdCodec.decompress(packed[0]!, FRAME_BYTES);
    if (!back || frames[0]!.compare(back) !== 0) throw new Error('a frame did not come back as it was');
    const name = `64 KiB of spans, zstd level ${level}`;
    figures.push({
      name: `${name}: left`,
      unit: '%',
      digits: 1,
      values: [(100 * stored) / (frames.length * FRAME_BYTES)],
    });
    const compress = (call: number): Promise<unknown> =>
      zstdCodec.compress(frames[call % frames.length]!, level);
    const decompress = (call: number): Promise<unknown> =>
      zstdCodec.decompress(packed[call % packed.length]!, FRAME_BYTES);
    for (const lanes of [1, 3]) {
      figures.push(...(await costs(setting, `${name}: compress, ${lanes} at a time`, lanes, compress)));
    }
    if (level === 1)
      figures.push(...(await costs(setting, `${name}: decompress, 1 at a time`, 1, decompress)));
  }
  return [...figures, look(setting), ...(await written(setting)), ...(await drained(setting))];
}

async function costs(
  setting: Setting,
  name: string,
  lanes: number,
  work: (call: number) => Promise<unknown>,
): Promise<Figure[]> {
  const all: Cost[] = [];
  for (let round = 0; round <= setting.rounds; round++) {
    setting.progress(`${name}, round ${round}`);
    const cost = await once(lanes, work);
    // The first round warms up.
    if (round > 0) all.push(cost);
  }
  return [
    { name: `${name}, CPU per MB`, unit: 'ms', digits: 2, values: all.map((cost) => cost.cpu_ms_per_MB) },
    { name: `${name}, latency`, unit: 'ms', digits: 2, values: all.map((cost) => cost.latency_ms) },
  ];
}

async function once(lanes: number, work: (call: number) => Promise<unknown>): Promise<Cost> {
  const latencies: number[] = [];
  const before = process.cpuUsage();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < CALLS) {
      const started_ms = performance.now();
      await work(next++);
      latencies.push(performance.now() - started_ms);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const { user, system } = process.cpuUsage(before);
  latencies.sort((a, b) => a - b);
  const megabytes = (latencies.length * FRAME_BYTES) / 1e6;
  return { cpu_ms_per_MB: (user + system) / 1000 / megabytes, latency_ms: latencies[latencies.length >> 1]! };
}

/** What a frame costs that is not worth compressing: the look that says so. */
function look(setting: Setting): Figure {
  const packed = gzipSync(tracesRequest(3, 512));
  const values: number[] = [];
  for (let round = 0; round <= setting.rounds; round++) {
    const started_ms = performance.now();
    for (let call = 0; call < 5000; call++) {
      if (looksCompressible(packed, 0, packed.length)) throw new Error('gzip was taken for compressible');
    }
    if (round > 0) values.push((performance.now() - started_ms) / 5);
  }
  return { name: '40 kB of gzip: the look that skips it', unit: 'µs', digits: 1, values };
}

/** Requests of 190 kB, eight in a commit, until they are durable. */
async function written(setting: Setting): Promise<Figure[]> {
  const requests = Array.from({ length: 8 }, (_, seed) => tracesRequest(seed, 512));
  const figures: Figure[] = [];
  for (const codec of ['none', 'zstd'] as const) {
    const rates: number[] = [];
    const cpu: number[] = [];
    for (let round = 0; round <= setting.rounds; round++) {
      setting.progress(`durable requests, ${codec}, round ${round}`);
      const directory = path.join(setting.work, 'compressed');
      const log = await Log.open({ directory, compression: { codec } });
      const shard = (await log.stream('bench')).shards[0]!;
      const before = process.cpuUsage();
      const started_ms = performance.now();
      let bytes = 0;
      for (let commit = 0; commit < 30; commit++) {
        for (const request of requests) bytes += request.length;
        await shard.durable(shard.append(requests) + requests.length - 1);
      }
      const took_ms = performance.now() - started_ms;
      const { user, system } = process.cpuUsage(before);
      await log.close();
      fs.rmSync(directory, { recursive: true });
      if (round === 0) continue;
      rates.push(bytes / 1000 / took_ms);
      cpu.push((user + system) / 1000 / (bytes / 1e6));
    }
    const name = `durable appends of 190 kB of spans, eight a commit, ${codec}`;
    figures.push({ name: `${name}: rate`, unit: 'MB/s', digits: 0, values: rates });
    figures.push({ name: `${name}: CPU per MB`, unit: 'ms', digits: 2, values: cpu });
  }
  return figures;
}

/** A backlog of small requests, about twenty a frame, read from the files by a log that was opened anew. */
async function drained(setting: Setting): Promise<Figure[]> {
  const batch = Array.from({ length: 100 }, (_, seed) => tracesRequest(seed, 8));
  const batches = 200;
  const megabytes = (batches * batch.reduce((sum, each) => sum + each.length, 0)) / 1e6;
  const figures: Figure[] = [];
  for (const codec of ['none', 'zstd'] as const) {
    setting.progress(`filling a backlog of ${Math.round(megabytes)} MB, ${codec}`);
    const directory = path.join(setting.work, 'backlog');
    const log = await Log.open({ directory, compression: { codec } });
    const shard = (await log.stream('bench')).shards[0]!;
    for (let each = 0; each < batches; each++) shard.append(batch);
    await shard.durable(shard.logEnd - 1);
    await log.close();
    const values: number[] = [];
    for (let round = 0; round <= setting.rounds; round++) {
      const took_ms = await drain(directory, 1, batches * batch.length);
      if (round > 0) values.push((1000 * megabytes) / took_ms);
    }
    fs.rmSync(directory, { recursive: true });
    figures.push({ name: `drain of requests of 3 kB from files, ${codec}`, unit: 'MB/s', digits: 0, values });
  }
  return figures;
}
