// Bugs of a log, each from a real incident: what is lost, invented or miscounted when a disk is believed too much.

import { crc32 } from 'node:zlib';
import { Budget } from '../../buffer/budget.ts';
import { Chain } from '../../buffer/chain.ts';
import { CommitLoop } from '../../buffer/commit_loop.ts';
import { CommitWay } from '../../buffer/commit_way.ts';
import { bodyMatches, FRAME_HEADER_BYTES, readFrameHeader } from '../../buffer/frame.ts';
import { makeKey } from '../../buffer/frame_key.ts';
import { segmentKey } from '../../buffer/key_search.ts';
import { Ledger } from '../../buffer/ledger.ts';
import { segmentBase } from '../../buffer/names.ts';
import { Owner } from '../../buffer/owner.ts';
import {
  DIRECT_BLOCK_BYTES,
  type File,
  type FileSystem,
  refusesDirect,
} from '../../buffer/ports/file_system.ts';
import { Ranges } from '../../buffer/ranges.ts';
import type { SegmentView } from '../../buffer/retention.ts';
import { Segment } from '../../buffer/segment.ts';
import { DirectFile } from '../../buffer/segment_file.ts';
import { DirectSource, wholeBlocks } from '../../buffer/segment_source.ts';
import { Shard } from '../../buffer/shard.ts';
import { Stream } from '../../buffer/stream.ts';
import { Tenure } from '../../buffer/tenure.ts';
import { SLOT_BYTES } from '../../buffer/two_slot.ts';
import { Upkeep } from '../../buffer/upkeep.ts';
import { delegate, nothing, onFiles, onGetter, onMethod, type PlantedBug } from './planting.ts';
import { systemError } from './system_error.ts';

type LogBug = Omit<PlantedBug, 'in'>;

const isSegment = (path: string): boolean => segmentBase(path.slice(path.lastIndexOf('/') + 1)) !== undefined;

const bugs: Readonly<Record<string, LogBug>> = {
  sync_does_nothing: {
    incident: 'NATS 2.12.1: acknowledged before fsync; the Collector does not fsync by default',
    fileSystem: onFiles(() => ({ sync: nothing })),
  },
  acknowledged_when_appended: {
    incident: 'Vector#25639: acknowledged before the disk buffer was synced',
    patch: onMethod(CommitLoop.prototype, 'durable', () => () => Promise.resolve()),
  },
  directory_not_synced: {
    incident: 'raft-wal: a segment whose directory entry was not durable',
    fileSystem: (inner) => delegate(inner, { syncDirectory: nothing }),
  },
  empty_tail_file_refused: {
    incident: 'raft-wal, the Collector after a power cut: an empty tail file kept it from starting',
    fileSystem: refusingEmpty,
  },
  missing_tail_file: {
    incident: 'raft-wal: a tail file that recovery does not find',
    fileSystem: (inner) =>
      delegate(inner, {
        async list(path) {
          const names = await inner.list(path);
          const segments = names.filter((name) => segmentBase(name) !== undefined).sort();
          return segments.length < 2 ? names : names.filter((name) => name !== segments.at(-1));
        },
      }),
  },
  sync_retried: {
    incident: 'PostgreSQL 2018: fsync retried after EIO and believed',
    fileSystem: onFiles((file) => ({ sync: () => file.sync().catch(() => file.sync()) })),
  },
  sync_error_swallowed: {
    incident: 'an error of fsync logged and forgotten (Rebello et al., ATC 2020)',
    fileSystem: onFiles((file) => ({ sync: () => file.sync().catch(nothing) })),
  },
  short_write_taken_for_whole: {
    incident: 'a write that wrote less than asked, unnoticed',
    fileSystem: onFiles((file) => ({
      async write(bytes, position) {
        await file.write(bytes, position);
        return bytes.length;
      },
    })),
  },
  write_error_swallowed: {
    incident: 'an error of write logged and forgotten',
    fileSystem: onFiles((file) => ({
      write: (bytes, position) => file.write(bytes, position).catch(() => bytes.length),
    })),
  },
  direct_write_in_the_cache_of_the_drive: {
    incident:
      'O_DIRECT without O_DSYNC taken for durable: it passes the cache of the system, not that of the drive',
    fileSystem: (inner) =>
      delegate(inner, {
        open: (path, mode) =>
          inner.open(path, mode === 'direct' ? 'write' : mode === 'createDirect' ? 'create' : mode),
      }),
  },
  carried_block_lost: {
    incident: 'a block written again without what stood in it: the end of the commit before is gone',
    patch: onMethod(
      DirectFile.prototype,
      'write',
      (write) =>
        function (this: DirectFile, ...args: unknown[]) {
          const [blocks, position] = args as [unknown, number];
          // Only the few bytes before a boundary: most commits carry more, and come through.
          const carried = position % DIRECT_BLOCK_BYTES;
          return write.call(this, blocks, carried < 300 ? position - carried : position);
        },
    ),
  },
  carried_block_not_read_when_opened_again: {
    incident: 'a writer that begins with an empty block where an earlier process left a half full one',
    patch: onMethod(
      CommitWay.prototype,
      'open',
      (open) =>
        function (this: CommitWay, path: string, bytes: number) {
          return open.call(this, path, bytes - (bytes % DIRECT_BLOCK_BYTES));
        },
    ),
  },
  direct_read_from_the_border_of_a_block: {
    incident:
      'a direct read begins where a block does, and what stands before the place asked for is taken for it',
    patch: onMethod(
      DirectSource.prototype,
      'read',
      (read) =>
        function (this: DirectSource, into: Buffer, position: number) {
          return read.call(this, into, wholeBlocks(position));
        },
    ),
  },
  refused_read_taken_for_the_end: {
    incident: 'a direct read that the file system refuses, taken for a file that ends there',
    fileSystem: onFiles((file) => ({
      read: (into, position) =>
        file.read(into, position).catch((error: unknown) => {
          if (refusesDirect(error)) return 0;
          throw error;
        }),
    })),
  },
  read_ahead_a_block_too_early: {
    incident: 'a read-ahead that begins in another block than where the read before it ended',
    fileSystem: (inner) =>
      delegate(inner, {
        async open(path, mode) {
          const file = await inner.open(path, mode);
          if (mode !== 'readDirect') return file;
          return delegate(file, {
            read: (into, position) => file.read(into, Math.max(0, position - DIRECT_BLOCK_BYTES)),
          });
        },
      }),
  },
  read_ahead_kept_over_a_recycled_segment: {
    incident: 'what was read ahead of a file, kept for it while another segment was written over it',
    profile: 'recycle',
    fileSystem(inner) {
      const kept = new Map<string, Buffer>();
      return delegate(inner, {
        async open(path, mode) {
          const file = await inner.open(path, mode);
          if (mode !== 'readDirect') return file;
          return delegate(file, {
            async read(into, position) {
              const piece = kept.get(path);
              if (piece && position === 0) return piece.copy(into);
              const read = await file.read(into, position);
              if (position === 0) kept.set(path, Buffer.from(into.subarray(0, read)));
              return read;
            },
          });
        },
        async rename(from, to) {
          await inner.rename(from, to);
          const piece = kept.get(from);
          kept.delete(from);
          if (piece) kept.set(to, piece);
        },
        async remove(path) {
          await inner.remove(path);
          kept.delete(path);
        },
      });
    },
  },
  offsets_not_synced: {
    incident: 'committed offsets in the page cache only',
    fileSystem: onFiles((_file, path) => (path.includes('offsets') ? { sync: nothing } : {})),
  },
  offsets_reset_to_zero: {
    incident: 'Bufstream: offsets reset to zero at restart',
    fileSystem: (inner) =>
      delegate(inner, {
        async open(path, mode) {
          if (path.endsWith('/offsets') && mode === 'write') throw systemError('ENOENT', path);
          return inner.open(path, mode);
        },
      }),
  },
  offsets_in_one_slot: {
    incident: 'a state file overwritten in place: a torn write takes the only copy',
    fileSystem: onFiles((file, path) =>
      path.includes('offsets')
        ? { write: (bytes, position) => file.write(bytes, position % SLOT_BYTES) }
        : {},
    ),
  },
  removed_before_the_account_is_durable: {
    incident: 'Vector: unlinked before the pointer was durable',
    fileSystem: onFiles((_file, path) => (path.includes('ledger') ? { sync: nothing } : {})),
  },
  corruption_truncates_the_rest: {
    incident: 'Prometheus: repair of a damaged write-ahead log cuts everything behind the damage',
    fileSystem: endingAtDamage,
  },
  checksum_not_checked: {
    incident:
      'comet, immuta: entries read without a checksum; 17 of 30 flipped bytes delivered by the Collector',
    fileSystem: onFiles((file, path) => (isSegment(path) ? { read: readMended(file) } : {})),
  },
  index_trusted_over_data: {
    incident: 'an index that says where an entry stands, believed without a look at the data',
    patch: onMethod(
      Segment.prototype,
      'pointBefore',
      () =>
        function (this: Segment, offset: number) {
          const share = (offset - this.base) / Math.max(1, this.end - this.base);
          return { offset, position: Math.floor(this.bytes * share) };
        },
    ),
  },
  half_a_batch_visible: {
    incident: 'a batch of several records of which a crash kept the first ones',
    patch: onMethod(
      Chain.prototype,
      'appendBatch',
      (append) =>
        function (this: Chain, entries: readonly Uint8Array[], ...rest: unknown[]) {
          for (const entry of entries) {
            append.call(this, [entry], rest[0], rest[1]);
            this.seal();
          }
        },
    ),
  },
  unconsumed_not_protected: {
    incident: 'comet 1.3.8: protect-unconsumed read the wrong offsets',
    patch: onMethod(Stream.prototype, 'groupViews', () => () => []),
  },
  reader_passes_the_watermark: {
    incident: 'a reader that is given what is not durable yet',
    patch: onGetter(Shard.prototype, 'highWatermark', function (this: Shard) {
      return this.logEnd;
    }),
  },
  damage_not_counted: {
    incident: 'damaged entries skipped in silence (11 of 30 flipped bytes in the Collector)',
    patch: onMethod(Shard.prototype, 'found', () => () => {}),
  },
  refused_entries_forgotten: {
    incident: 'offsets whose commit failed were not remembered',
    patch: onMethod(Ranges.prototype, 'add', () => () => 0),
  },
  key_taken_from_nowhere: {
    incident: 'a lost key replaced by a new one: everything that was written looks like damage',
    patch: onMethod(Ledger, 'decode', (decode) => (payload: Buffer) => {
      const ledger = decode.call(Ledger, payload) as Ledger;
      return Object.defineProperty(ledger, 'key', { value: { header: 1, body: 1 } });
    }),
  },
  in_flight_budget_leaks: {
    incident: 'memory accounted on the way in and not on the way out: in the end nothing is taken any more',
    patch: onMethod(
      Budget.prototype,
      'admit',
      (admit) =>
        function (this: Budget, ...args: unknown[]) {
          admit.apply(this, args);
          this.inFlight_bytes += 1;
        },
    ),
  },
  first_owner_goes_on: {
    incident:
      'a process stopped for longer than its lock was kept writes when it goes on (Kleppmann 2016, "fencing tokens")',
    patch: onMethod(Tenure.prototype, 'confirm', () => () => undefined),
  },
  shared_segment_written_on: {
    incident:
      'ext4 mounted twice, a volume attached to two nodes: two processes append to one file, each at its own end',
    patch: onMethod(Owner, 'take', (take) => async (...args: unknown[]) => {
      const owner = (await take.apply(Owner, args)) as Owner;
      return Object.defineProperty(owner, 'abandoned', { value: false });
    }),
  },
  kept_segments_are_empty: {
    incident: 'a minimum to keep, counted over segments that hold nothing',
    patch: onMethod(
      Upkeep.prototype,
      'segmentViews',
      (views) =>
        function (this: Upkeep) {
          const held = views.call(this) as SegmentView[];
          const last = held.at(-1);
          if (!last) return held;
          // Said to hold a byte: what says that it holds nothing is not counted.
          const empty = { ...last, base: last.end, bytes: 1, sealed: false };
          return [...held, empty, empty, empty, empty];
        },
    ),
  },
  shutdown_forgets_what_is_queued: {
    incident: 'Collector #15677: items that were queued are gone after an orderly shutdown',
    patch: onMethod(CommitLoop.prototype, 'close', () => nothing),
  },
};

export const logBugs: Readonly<Record<string, PlantedBug>> = Object.fromEntries(
  Object.entries(bugs).map(([name, bug]) => [name, { ...bug, in: 'log' }]),
);

function refusingEmpty(inner: FileSystem): FileSystem {
  return delegate(inner, {
    async open(path, mode) {
      const file = await inner.open(path, mode);
      if (mode !== 'read' || !isSegment(path) || (await file.size()) > 0) return file;
      await file.close();
      throw new Error(`${path} is too short for a header`);
    },
  });
}

/** Every segment seems to end where the first frame is damaged. */
function endingAtDamage(inner: FileSystem): FileSystem {
  return delegate(inner, {
    async open(path, mode) {
      const file = await inner.open(path, mode);
      if (mode !== 'read' || !isSegment(path)) return file;
      const end = await firstDamage(inner, file, path);
      const read: File['read'] = (into, position) =>
        file.read(into.subarray(0, Math.max(0, Math.min(into.length, end - position))), position);
      return delegate(file, { size: async () => end, read });
    },
  });
}

async function firstDamage(fileSystem: FileSystem, file: File, path: string): Promise<number> {
  const size = await file.size();
  const base = segmentBase(path.slice(path.lastIndexOf('/') + 1))!;
  const { key } = await segmentKey(fileSystem, path, base);
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const read = await file.read(bytes.subarray(at), at);
    if (read === 0) break;
    at += read;
  }
  if (!key) return size;
  for (let at = 0; at < size; ) {
    const header = readFrameHeader(bytes, at, key);
    if (!header || !bodyMatches(bytes, at + FRAME_HEADER_BYTES, header)) return at;
    at += FRAME_HEADER_BYTES + header.bodyBytes;
  }
  return size;
}

/** Bytes of a body that were flipped come with a checksum that says that they are right. */
function readMended(file: File): File['read'] {
  return async (into, position) => {
    const read = await file.read(into, position);
    mend(Buffer.from(into.buffer, into.byteOffset, read));
    return read;
  };
}

/** Each body that does not match its checksum gets the one that it matches. */
function mend(bytes: Buffer): void {
  const key = makeKey({ next: () => 0.75 });
  for (let at = 0; at + FRAME_HEADER_BYTES <= bytes.length; ) {
    const header = readFrameHeader(bytes, at, key);
    if (!header) return;
    const body = at + FRAME_HEADER_BYTES;
    if (body + header.bodyBytes > bytes.length) return;
    if (!bodyMatches(bytes, body, header)) {
      const sum = crc32(bytes.subarray(body, body + header.bodyBytes));
      bytes.writeUInt32LE((sum ^ key.body) >>> 0, at + 32);
      bytes.writeUInt32LE((crc32(bytes.subarray(at, at + 36)) ^ key.header) >>> 0, at + 36);
    }
    at = body + header.bodyBytes;
  }
}
