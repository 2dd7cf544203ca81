// One life of the agent's inside: the log, its streams, and an outlet per exporter with the real drain loops. Invariant: it
// is put together as the agent does it, from the same parts; only files, time, chance and the network are simulated.

import { Outlet, signalOf } from '../../agent/outlet.ts';
import type { ConfiguredExporter } from '../../agent/schema/agent_config.ts';
import { OwnerPresent } from '../../buffer/errors.ts';
import { Log } from '../../buffer/log.ts';
import type { FileSystem } from '../../buffer/ports/file_system.ts';
import type { Shard } from '../../buffer/shard.ts';
import type { Stream } from '../../buffer/stream.ts';
import type { Logger } from '../../config/logger.ts';
import type { DrainConfig } from '../../exporters/drain/config.ts';
import type { ExporterFactory } from '../../exporters/exporter.ts';
import { tellingLogger } from '../config/telling_logger.ts';
import type { DrainOptions, ExporterOptions } from './drain_options.ts';
import type { World } from './machine.ts';
import type { SeededRandom } from './random.ts';
import { DIRECTORY } from './subject.ts';

export interface DrainSubject {
  readonly log: Log;
  readonly streams: readonly Stream[];
  /** All that take entries from clients. */
  readonly shards: readonly Shard[];
  readonly outlets: readonly Outlet[];
  /** Of each outlet. */
  readonly letters: readonly Shard[];
}

export interface SubjectParts {
  readonly world: World;
  readonly options: DrainOptions;
  readonly fileSystem: FileSystem;
  /** Of back-off. */
  readonly random: SeededRandom;
  readonly factory: (index: number) => ExporterFactory;
  readonly config: (exporter: ExporterOptions) => DrainConfig;
}

const LETTERS_RESERVE_BYTES = 1024 * 1024;

export const lettersOf = (index: number): string => `dead-letter.otlp_http.e${index}`;

type LogParts = Pick<SubjectParts, 'world' | 'options' | 'fileSystem'>;

export async function openDrainSubject(parts: SubjectParts): Promise<DrainSubject> {
  const { options, world } = parts;
  const clock = world.clock.of(world.process.life);
  const log = await openLog(parts);
  try {
    const streams: Stream[] = [];
    for (const name of options.streams) streams.push(await log.stream(name, { shards: options.shards }));
    const outlets: Outlet[] = [];
    for (const [index, exporter] of options.exporters.entries()) {
      const configured = configuredOf(parts, exporter, index);
      const own = exporter.streams.map((at) => ({ stream: streams[at]!, worker: undefined }));
      const logger = loggerOf(world, exporter.id);
      outlets.push(
        await Outlet.open({
          configured,
          streams: own,
          log,
          deadLetters: { reserve_bytes: LETTERS_RESERVE_BYTES },
          version: '0',
          worker: 0,
          logger,
          clock,
          random: parts.random,
        }),
      );
    }
    const letters: Shard[] = [];
    for (const index of options.exporters.keys())
      letters.push((await log.stream(lettersOf(index))).shards[0]!);
    return { log, streams, shards: streams.flatMap((stream) => stream.shards), outlets, letters };
  } catch (error) {
    await log.close().catch(() => {});
    throw error;
  }
}

function openLog({ world, options, fileSystem }: LogParts): Promise<Log> {
  return Log.open({
    directory: DIRECTORY,
    fileSystem,
    clock: world.clock.of(world.process.life),
    random: { next: () => 0.75 },
    report: (level, message, fields) => world.trace.note(`  ${level}: ${message} ${JSON.stringify(fields)}`),
    segment: { maxBytes: options.segment_bytes },
    retention: {
      maxSize_bytes: options.maxSize_bytes,
      ...(options.maxAge_ms === undefined ? {} : { maxAge_ms: options.maxAge_ms }),
      protectUnconsumed: options.maxAge_ms === undefined,
      minFreeSpace_bytes: 0,
      whenFull: options.whenFull,
    },
    offsetsInterval_ms: options.offsetsInterval_ms,
    hotTail_bytes: options.hotTail_bytes,
  });
}

/** A log that has seen `headStart` entries already, all of them delivered. */
export async function makeHeadStart(parts: LogParts): Promise<void> {
  const { options } = parts;
  const log = await openLog(parts);
  const entries = Array.from({ length: options.headStart }, () => new Uint8Array(0));
  for (const [index, name] of options.streams.entries()) {
    const stream = await log.stream(name, { shards: options.shards });
    const ids = options.exporters.filter(({ streams }) => streams.includes(index)).map(({ id }) => id);
    const groups = await Promise.all(ids.map((id) => stream.group(id)));
    for (const shard of stream.shards) {
      await shard.durable(shard.append(entries));
      await Promise.all(groups.map((group) => group.commit(shard, shard.highWatermark)));
    }
  }
  await log.close();
}

/** Another process that wants the same log. True where it gets it. */
export async function intrude(parts: LogParts): Promise<boolean> {
  try {
    await openLog(parts);
    return true;
  } catch (error) {
    if (error instanceof OwnerPresent) return false;
    throw error;
  }
}

function configuredOf(parts: SubjectParts, exporter: ExporterOptions, index: number): ConfiguredExporter {
  const streams = exporter.streams.map((at) => {
    const name = parts.options.streams[at]!;
    return { name, signal: signalOf(name)! };
  });
  return {
    id: exporter.id,
    group: exporter.id,
    deadLetterStream: lettersOf(index),
    factory: parts.factory(index),
    config: undefined,
    drain: parts.config(exporter),
    streams,
  };
}

function loggerOf(world: World, id: string): Logger {
  return tellingLogger((level, message, fields) =>
    world.trace.note(`  ${id} ${level}: ${message} ${JSON.stringify(fields)}`),
  );
}
