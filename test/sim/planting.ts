// How a bug is planted around the product: between it and its disk, between the drain loop and its exporter, in what it is
// configured to do, or by replacing a method for the time of a run. Invariant: undone, it leaves nothing behind.

import type { File, FileSystem } from '../../buffer/ports/file_system.ts';
import type { DrainConfig } from '../../exporters/drain/config.ts';
import type { ExporterBug } from './drain_exporter.ts';
import type { ProfileName } from './options.ts';

/** Puts a class back as it was. */
export type Undo = () => void;

export interface PlantedBug {
  /** Where it happened. */
  readonly incident: string;
  /** Which simulation is to find it: that of the log alone, or that of the drain loop over it. */
  readonly in: 'log' | 'drain';
  /** The runs of a log in which it is to be found; `long` unless told. */
  readonly profile?: ProfileName;
  readonly fileSystem?: (inner: FileSystem) => FileSystem;
  readonly exporter?: () => ExporterBug;
  readonly config?: (config: DrainConfig) => DrainConfig;
  readonly patch?: () => Undo;
}

/** Changes what is done with files that are opened. */
export function onFiles(
  change: (file: File, path: string) => Partial<File>,
): (inner: FileSystem) => FileSystem {
  return (inner) =>
    delegate(inner, {
      async open(path, mode) {
        const file = await inner.open(path, mode);
        return delegate(file, change(file, path));
      },
    });
}

/** All of `inner`, with some methods replaced. */
export function delegate<T extends object>(inner: T, changed: Partial<T>): T {
  return new Proxy(inner, {
    get(target, name) {
      const own = changed[name as keyof T];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

// biome-ignore lint/suspicious/noExplicitAny: a method of any class
type Method = (this: any, ...args: any[]) => any;

/** Puts another method in the place of one, which it is given. */
export function onMethod(target: object, name: string, replace: (original: Method) => Method): () => Undo {
  return () => {
    const original = Object.getOwnPropertyDescriptor(target, name);
    if (typeof original?.value !== 'function') throw new Error(`there is no ${name}() to plant a bug in`);
    Object.defineProperty(target, name, { ...original, value: replace(original.value as Method) });
    return () => {
      Object.defineProperty(target, name, original);
    };
  };
}

/** The same for what is read like a field. */
export function onGetter(target: object, name: string, replace: Method): () => Undo {
  return () => {
    const original = Object.getOwnPropertyDescriptor(target, name);
    if (!original?.get) throw new Error(`there is no ${name} to plant a bug in`);
    Object.defineProperty(target, name, { configurable: true, get: replace });
    return () => {
      Object.defineProperty(target, name, original);
    };
  };
}

/** Two changes that make one bug. */
export function both(first: () => Undo, second: () => Undo): () => Undo {
  return () => {
    const undoFirst = first();
    const undoSecond = second();
    return () => {
      undoSecond();
      undoFirst();
    };
  };
}

export const nothing = async (): Promise<void> => {};
