// The steps of each way with the least that each asks for. Invariant: a step does what the agent does, with the agent's own code
// where that can stand alone, and nothing beside it.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import path from 'node:path';
import { Agent } from 'undici';
import { alignedMemory, crc32, openVectored, type VectoredFile } from '../../buffer/index.ts';
import { nodeFileSystem } from '../../buffer/ports/node_file_system.ts';
import { READ_BYTES } from '../../buffer/scan.ts';
import { Segment } from '../../buffer/segment.ts';
import { SegmentReads } from '../../buffer/segment_reads.ts';
import { exchange } from '../../exporters/otlp_http/exchange.ts';
import { concatenate } from '../../otlp/merge.ts';
import { walk } from '../../otlp/walk.ts';
import { Decompressor } from '../../receivers/server/decompress/decompress.ts';
import { InFlight, Share } from '../../receivers/server/in_flight.ts';
import type { Generator, Sink } from '../children.ts';
import { holdfast } from '../contestants/holdfast.ts';
import { bodiesOf, signalOf } from '../load/bodies.ts';
import { processFigures } from '../proc.ts';
import { Stage } from '../stage.ts';
import { BareClient, bareServer } from './bare.ts';
import { here, type Step } from './step.ts';
import type { Way } from './way.ts';

const BODY_BYTES_MAX = 20 * 2 ** 20;
const SECTOR_BYTES = 4096;

export interface Setting {
  /** A folder for what is written. */
  readonly work: string;
  readonly generator: Generator;
  readonly sink: Sink;
}

/** All steps of a way, in its order. */
export function stepsOf(way: Way, setting: Setting): Step[] {
  const bodies = new Bodies(way);
  const copy = here('one copy of the bytes', () => bodies.each((body) => bodies.copy(body)));
  const checksum: Step = {
    ...here('checksum', () => bodies.each((body) => void crc32(body))),
    least: copy,
  };
  if (way.cold) {
    return [
      start(setting),
      { ...readBack(way, bodies, setting), least: copy },
      checksum,
      send(way, bodies, setting),
    ];
  }
  const signal = signalOf[way.load.body];
  const walking = here('walk the wire', () => bodies.eachRaw((body) => void walk(signal, body)));
  const merging = here('merge', () => bodies.eachBatch((batch) => void bodies.merge(batch)));
  return [
    receive(way, setting),
    ...(way.load.gzip ? [decompress(bodies)] : []),
    { ...walking, least: here(copy.name, () => bodies.eachRaw((body) => bodies.copy(body))) },
    { ...here('copy into the block', () => bodies.each((body) => bodies.copy(body))), least: copy },
    checksum,
    commit(way, bodies, setting),
    ...(way.perBatch > 1 ? [{ ...merging, least: copy }] : []),
    send(way, bodies, setting),
  ];
}

/** The bodies of a way as they arrive, and as they leave. */
class Bodies {
  readonly #way: Way;
  readonly #arriving: readonly Buffer[];
  readonly #raw: readonly Buffer[];
  readonly leaving: readonly Uint8Array[];
  readonly #memory: Buffer;

  constructor(way: Way) {
    const { body, gzip } = way.load;
    this.#way = way;
    this.#arriving = bodiesOf(body, gzip).map(({ bytes }) => bytes);
    this.#raw = gzip ? bodiesOf(body, false).map(({ bytes }) => bytes) : this.#arriving;
    this.#memory = Buffer.alloc(Math.max(...this.#raw.map(({ length }) => length)) * way.perBatch);
    const batches: Uint8Array[] = [];
    this.eachBatch((batch) => batches.push(Uint8Array.from(this.merge(batch))));
    this.leaving = batches;
  }

  each(work: (body: Buffer) => void): void {
    for (let index = 0; index < this.#way.requests; index++) work(this.arriving(index));
  }

  eachRaw(work: (body: Buffer) => void): void {
    for (let index = 0; index < this.#way.requests; index++) work(this.#raw[index % this.#raw.length]!);
  }

  eachBatch(work: (batch: Buffer[]) => void): void {
    for (const batch of this.together(this.#way.perBatch)) work(batch);
  }

  /** What comes together, so many requests at a time. */
  *together(requests: number): Iterable<Buffer[]> {
    for (let index = 0; index < this.#way.requests; index += requests) {
      yield Array.from({ length: requests }, (_, n) => this.arriving(index + n));
    }
  }

  arriving(index: number): Buffer {
    return this.#arriving[index % this.#arriving.length]!;
  }

  copy(body: Buffer): void {
    body.copy(this.#memory);
  }

  merge(batch: readonly Buffer[]): Uint8Array {
    return concatenate(
      batch.map((payload) => ({ codec: 'identity', payload })),
      () => this.#memory,
    );
  }
}

function receive(way: Way, { generator }: Setting): Step {
  const take = async (server: Server): Promise<void> => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await generator.load({ ...way.load, url, requests: way.requests });
    await once(server.close(), 'close');
  };
  const answering = () =>
    createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(200, { 'content-length': 0 }).end());
    });
  return {
    ...here('read the request, answer it (node:http)', () => take(answering())),
    least: here('bare sockets', () => take(bareServer())),
  };
}

function decompress(bodies: Bodies): Step {
  const decompressor = new Decompressor(BODY_BYTES_MAX);
  const share = new Share(new InFlight(BODY_BYTES_MAX));
  const run = (): void => bodies.each((body) => void decompressor.decompress('gzip', body, share));
  return { ...here('decompress and check', run), least: undefined };
}

/** As many requests as there are connections, in one write past the page cache that is durable when it returns. */
function commit(way: Way, bodies: Bodies, { work }: Setting): Step {
  const write = async (bytesOf: (together: readonly Buffer[]) => number): Promise<void> => {
    const { file, memory } = await openCommits(work);
    let position = 0;
    for (const together of bodies.together(way.perCommit)) {
      const bytes = bytesOf(together);
      await file.writev([memory.subarray(0, bytes)], position);
      position += bytes;
    }
    await file.close();
  };
  return {
    ...here(`write durably, ${way.perCommit} requests at a time`, () => write(wholeSectors)),
    least: here('as many writes of 4 KiB', () => write(() => SECTOR_BYTES)),
  };
}

/** Written past the page cache before, so it comes from the disk. */
function readBack(way: Way, bodies: Bodies, { work }: Setting): Omit<Step, 'least'> {
  let length = 0;
  return {
    async prepare() {
      const { file, memory } = await openCommits(work);
      length = 0;
      for (const together of bodies.together(way.perCommit)) {
        const bytes = wholeSectors(together);
        await file.writev([memory.subarray(0, bytes)], length);
        length += bytes;
      }
      await file.close();
    },
    ...here('read back, a window at a time', async () => {
      const source = await reads.open(path.join(work, 'commits.log'), segmentOf(length), true);
      const window = Buffer.alloc(READ_BYTES);
      for (let at = 0; at < length; at += READ_BYTES) await source.read(window, at);
      await source.close();
    }),
  };
}

/** Its aligned memory is the log's, so it is made once. */
const reads = new SegmentReads(nodeFileSystem, () => true);

/** As a reader finds it who is alone with it. */
function segmentOf(bytes: number): Segment {
  return Object.assign(new Segment(0), { bytes, sealed: true });
}

async function openCommits(work: string): Promise<{ file: VectoredFile; memory: Buffer }> {
  const name = path.join(work, 'commits.log');
  fs.rmSync(name, { force: true });
  const file = await openVectored(name, 'create', { direct: true, durable: true });
  return { file, memory: commitMemory };
}

/** Address space is reserved with it, so it is taken once. */
const commitMemory = alignedMemory(4 * 2 ** 20);

function wholeSectors(together: readonly Buffer[]): number {
  const bytes = together.reduce((sum, { length }) => sum + length, 0);
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}

function send(way: Way, bodies: Bodies, { sink }: Setting): Step {
  const route = `/v1/${signalOf[way.load.body]}`;
  const { gzip } = way.load;
  const name = way.perBatch > 1 ? `send ${way.perBatch} as one (undici)` : 'send, take the answer (undici)';
  return {
    ...here(name, async () => {
      const origin = await sink.url();
      const agent = new Agent({ pipelining: 1 });
      const headers = [
        'content-type',
        'application/x-protobuf',
        ...(gzip ? ['content-encoding', 'gzip'] : []),
      ];
      const never = new AbortController().signal;
      for (const body of bodies.leaving) {
        await exchange(agent, { origin, path: route, headers, body, responseBytesMax: 1024 }, never);
      }
      await agent.close();
    }),
    least: here('bare sockets', async () => {
      const client = await BareClient.connect(await sink.url(), route);
      for (const body of bodies.leaving) await client.send(body, gzip ? 'Content-Encoding: gzip\r\n' : '');
      client.close();
    }),
  };
}

/** Until it answers. */
function start({ work, sink }: Setting): Step {
  return {
    name: 'start of the process, shared by all',
    once: true,
    async cost() {
      const directory = fs.mkdtempSync(path.join(work, 'start-'));
      const log = fs.openSync(path.join(directory, 'output.txt'), 'a');
      const stage = new Stage(holdfast, directory, log);
      try {
        const { pid } = await stage.start({ backends: [await sink.url()], gzip: false, merge: false });
        return processFigures(pid).cpu_s * 1e6;
      } finally {
        await stage.clear();
        fs.closeSync(log);
      }
    },
    least: {
      name: 'Node without a program',
      async cost() {
        const { stdout } = spawnSync(process.execPath, ['-p', 'JSON.stringify(process.cpuUsage())']);
        const { user, system } = JSON.parse(stdout.toString()) as NodeJS.CpuUsage;
        return user + system;
      },
    },
  };
}
