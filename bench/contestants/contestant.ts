// What takes part in the benchmark. Invariant: all contestants are given the same ports, the same backends and the same
// signals; what differs is the promise that each makes about the disk, which its title says.

export type ContestantName =
  | 'holdfast'
  | 'holdfast-2'
  | 'collector'
  | 'collector-fsync'
  | 'collector-memory'
  | 'rsyslog'
  | 'rsyslog-sync';

/** What a contestant is to do that takes OTLP. */
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

/** What a contestant is to do that takes syslog over TCP. */
export interface SyslogSetup {
  readonly directory: string;
  readonly port: number;
  /** Where lines go: into a file, or to a backend that takes OTLP over HTTP on one port and lines over TCP on the other. */
  readonly out: { readonly file: string } | { readonly url: string; readonly linesPort: number };
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
  /** Which it is, where that is not pinned here. */
  version?(): string;
  /** Writes what it needs below `setup.directory`. */
  otlp?(setup: Setup): Command;
  /** The same. */
  syslog?(setup: SyslogSetup): Command;
  /** What stands once per line in the file that it writes from syslog. */
  readonly mark?: string;
}
