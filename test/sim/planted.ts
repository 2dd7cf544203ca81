// Bugs that the simulator must find, each from a real incident, planted around the product and never in it: between the log
// and its disk, or by replacing a method for the time of a run. Invariant: `plant` leaves nothing behind once undone.

import { CommitLoop } from '../../buffer/commit_loop.ts';
import type { File, FileSystem } from '../../buffer/ports/file_system.ts';
import { Ranges } from '../../buffer/ranges.ts';
import { Shard } from '../../buffer/shard.ts';
import { Stream } from '../../buffer/stream.ts';
import { systemError } from './file_system.ts';

export interface PlantedBug {
  /** Where it happened. */
  readonly incident: string;
  readonly fileSystem?: (inner: FileSystem) => FileSystem;
  /** Changes a class; returns how to undo it. */
  readonly patch?: () => () => void;
}

function onFiles(change: (file: File, path: string) => Partial<File>): (inner: FileSystem) => FileSystem {
  return (inner) =>
    delegate(inner, {
      async open(path, mode) {
        const file = await inner.open(path, mode);
        return delegate(file, change(file, path));
      },
    });
}

/** All of `inner`, with some methods replaced. */
function delegate<T extends object>(inner: T, changed: Partial<T>): T {
  return new Proxy(inner, {
    get(target, name) {
      const own = changed[name as keyof T];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function onMethod(target: object, name: string, replacement: PropertyDescriptor): () => () => void {
  return () => {
    const original = Object.getOwnPropertyDescriptor(target, name);
    if (!original) throw new Error(`there is no ${name} to plant a bug in`);
    Object.defineProperty(target, name, { configurable: true, ...replacement });
    return () => {
      Object.defineProperty(target, name, original);
    };
  };
}

const nothing = async (): Promise<void> => {};

export const plantedBugs: Readonly<Record<string, PlantedBug>> = {
  sync_does_nothing: {
    incident: 'NATS 2.12.1: acknowledged before fsync; the Collector does not fsync by default',
    fileSystem: onFiles(() => ({ sync: nothing })),
  },
  acknowledged_when_appended: {
    incident: 'Vector#25639: acknowledged before the disk buffer was synced',
    patch: onMethod(CommitLoop.prototype, 'durable', { value: () => Promise.resolve() }),
  },
  directory_not_synced: {
    incident: 'raft-wal: a segment whose directory entry was not durable',
    fileSystem: (inner) => delegate(inner, { syncDirectory: nothing }),
  },
  sync_retried: {
    incident: 'PostgreSQL 2018: fsync retried after EIO and believed',
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
  removed_before_the_account_is_durable: {
    incident: 'Vector: unlinked before the pointer was durable',
    fileSystem: onFiles((_file, path) => (path.includes('ledger') ? { sync: nothing } : {})),
  },
  tail_not_cut: {
    incident: 'a torn tail left in place and appended to',
    fileSystem: onFiles(() => ({ truncate: nothing })),
  },
  unconsumed_not_protected: {
    incident: 'comet 1.3.8: protect-unconsumed read the wrong offsets',
    patch: onMethod(Stream.prototype, 'groupViews', { value: () => [] }),
  },
  reader_passes_the_watermark: {
    incident: 'a reader that is given what is not durable yet',
    patch: onMethod(Shard.prototype, 'highWatermark', {
      get(this: Shard) {
        return this.logEnd;
      },
    }),
  },
  damage_not_counted: {
    incident: 'damaged entries skipped in silence',
    patch: onMethod(Shard.prototype, 'found', { value: () => {} }),
  },
  refused_entries_forgotten: {
    incident: 'offsets whose commit failed were not remembered',
    patch: onMethod(Ranges.prototype, 'add', { value: () => 0 }),
  },
};
