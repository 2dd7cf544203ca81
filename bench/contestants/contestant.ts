// What takes part in the benchmark. Invariant: all contestants are given the same ports, the same backends and the same
// signals; what differs is the promise that each makes about the disk, which its title says.

export type ContestantName = 'holdfast' | 'collector' | 'collector-fsync' | 'collector-memory';

/** What a contestant is to do. */
export interface Setup {
  /** Its configuration and its data; the same folder again is the same disk again. */
  readonly directory: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Each gets everything, through an exporter of its own. */
  readonly backends: readonly string[];
  /** Whether requests leave compressed. */
  readonly gzip: boolean;
  /** Whether small requests are to leave merged. */
  readonly merge: boolean;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Contestant {
  readonly name: ContestantName;
  readonly title: string;
  /** Why it cannot run here, and what to do. */
  missing(): string | undefined;
  /** Writes what it needs below `setup.directory`. */
  prepare(setup: Setup): Command;
}
