// What is measured: the scenarios with their targets, and what each kind of scenario yields. Invariant: a scenario is the same
// work for every contestant, and its name never changes meaning, since stored results are compared by it.

import type { ContestantName } from './contestants/contestant.ts';
import type { Load } from './load/generator.ts';

/** CPU of the Collector with its queue on disk ÷ CPU of Holdfast, in one run. */
export interface Target {
  /** Why less can hardly be had, where the own figure is above what is wanted. */
  readonly bound?: string;
  readonly must: number;
  readonly wants: number;
  /** CPU seconds per million items of the Collector when the target was set: gives an own figure something to stand beside. */
  readonly collector_cpu_s: number;
}

interface Named {
  /** For --scenarios and for stored results. */
  readonly name: string;
  readonly title: string;
  readonly peers: readonly ContestantName[];
  readonly target?: Target;
  /** Takes minutes: measured in the first round alone. */
  readonly once?: true;
}

export interface LoadScenario extends Named {
  readonly kind: 'load';
  readonly load: Omit<Load, 'url'>;
  /** One that is down refuses connections for the whole run. */
  readonly backends: readonly ('up' | 'down')[];
  /** Before the work, where what is usual would leave a part of the agent cold. */
  readonly warmRequests?: number;
}

/** A backlog meets a backend that has run for long, as any other is: so many requests compile what it runs, and count for nobody. */
export const WARM_BACKEND_REQUESTS = 400;

export interface BacklogScenario extends Named {
  readonly kind: 'backlog';
  readonly load: Omit<Load, 'url'>;
}

export interface IdleScenario extends Named {
  readonly kind: 'idle';
  readonly lasts_ms: number;
}

/** Syslog over TCP through a queue on disk. */
export interface RelayScenario extends Named {
  readonly kind: 'syslog';
  readonly lines: number;
  /** Sent before, as the first lines pay for compilation. */
  readonly warmLines: number;
  readonly out: 'file' | 'backend';
}

export type Scenario = LoadScenario | BacklogScenario | IdleScenario | RelayScenario;
export type Kind = Scenario['kind'];

/** One figure of a kind of scenario. */
export interface Metric {
  readonly key: string;
  readonly title: string;
  /** Multiplies what was measured (bytes, items, ms) into the unit of the title. */
  readonly scale: number;
  readonly digits: number;
}

const cpu: Metric = { key: 'cpu_s_per_million', title: 'CPU s per million items', scale: 1, digits: 2 };
const rate: Metric = { key: 'items_per_s', title: 'k items/s', scale: 1e-3, digits: 1 };
const peak: Metric = { key: 'rss_peak_bytes', title: 'peak RSS, MB', scale: 1e-6, digits: 0 };
const ready: Metric = { key: 'ready_ms', title: 'ready after, ms', scale: 1, digits: 0 };

export const metrics: Readonly<Record<Kind, readonly Metric[]>> = {
  load: [
    cpu,
    rate,
    { key: 'ack_ms_p50', title: 'ack p50, ms', scale: 1, digits: 1 },
    { key: 'ack_ms_p99', title: 'ack p99, ms', scale: 1, digits: 1 },
    peak,
    { key: 'written_bytes_per_item', title: 'bytes written per item', scale: 1, digits: 0 },
  ],
  backlog: [
    ready,
    rate,
    cpu,
    peak,
    { key: 'left_bytes', title: 'on disk 15 s later, MB', scale: 1e-6, digits: 0 },
  ],
  syslog: [
    cpu,
    rate,
    peak,
    { key: 'written_bytes_per_item', title: 'bytes written per item', scale: 1, digits: 0 },
  ],
  idle: [
    { key: 'rss_bytes', title: 'RSS, MB', scale: 1e-6, digits: 0 },
    { key: 'cpu_percent', title: 'CPU, % of a core', scale: 1, digits: 2 },
    ready,
  ],
};

export const kindTitles: Readonly<Record<Kind, string>> = {
  load: 'In, onto the disk, out',
  backlog: 'A backlog, started cold',
  syslog: 'Syslog over TCP, onto the disk, out',
  idle: 'At rest',
};

const everyone: readonly ContestantName[] = ['holdfast', 'collector', 'collector-fsync', 'collector-memory'];
const withoutFsync: readonly ContestantName[] = ['holdfast', 'collector', 'collector-memory'];
const disks: readonly ContestantName[] = ['holdfast', 'collector'];

const large = { protocol: 'http', body: 'spans', gzip: false, connections: 8, requests: 2400 } as const;
const up: LoadScenario['backends'] = ['up'];

const KERNEL = 'what is left is mostly the kernel: a commit for a few requests, and an answer to each';

function few(connections: number, requests: number, target: Target): LoadScenario {
  return {
    kind: 'load',
    name: `few-${connections}`,
    title: `1–10 spans a request, ${connections} connections`,
    load: { ...large, body: 'few spans', connections, requests },
    backends: up,
    // With fsync four connections take the Collector a minute per round; the others say no more than that one.
    peers: withoutFsync,
    target: { ...target, bound: KERNEL },
  };
}

function backlog(name: string, count: string, requests: number): BacklogScenario {
  const title = `drain of ${count} spans in 512-span requests`;
  return { kind: 'backlog', name, title, load: { ...large, requests }, peers: disks };
}

export const scenarios: readonly Scenario[] = [
  {
    kind: 'load',
    name: 'plain',
    title: '512-span requests, plain',
    load: large,
    backends: up,
    peers: everyone,
    target: { must: 8, wants: 12, collector_cpu_s: 17.0 },
  },
  {
    kind: 'load',
    name: 'gzip',
    title: '512-span requests, gzip in and out',
    load: { ...large, gzip: true },
    backends: up,
    peers: everyone,
    target: { must: 9, wants: 20, collector_cpu_s: 22.7 },
  },
  {
    kind: 'load',
    name: 'logs',
    title: '512-record logs, plain',
    load: { ...large, body: 'records' },
    backends: up,
    peers: everyone,
    target: { must: 7, wants: 10, collector_cpu_s: 11.6 },
  },
  few(4, 24_000, { must: 3, wants: 4, collector_cpu_s: 86 }),
  few(16, 24_000, { must: 6, wants: 9, collector_cpu_s: 97 }),
  few(64, 24_000, { must: 8, wants: 12, collector_cpu_s: 109 }),
  {
    kind: 'load',
    name: 'grpc',
    title: '512-span requests, gRPC in',
    load: { ...large, protocol: 'grpc' },
    backends: up,
    peers: everyone,
    target: { must: 6, wants: 10, collector_cpu_s: 14.4 },
  },
  {
    kind: 'load',
    name: 'paced-20k',
    title: '512-span requests, paced at 20 k spans/s',
    load: { ...large, requests: 470, requestsPerSecond: 20_000 / 512 },
    backends: up,
    peers: withoutFsync,
    target: { must: 5, wants: 8, collector_cpu_s: 24.1 },
  },
  {
    kind: 'load',
    name: 'paced-100k',
    title: '512-span requests, paced at 100 k spans/s, for the acknowledgement',
    load: { ...large, connections: 16, requests: 1600, requestsPerSecond: 100_000 / 512 },
    backends: up,
    peers: withoutFsync,
  },
  {
    kind: 'load',
    name: 'two-exporters',
    title: '512-span requests, plain, two exporters',
    load: large,
    backends: ['up', 'up'],
    peers: disks,
  },
  {
    kind: 'load',
    name: 'one-down',
    title: '512-span requests, plain, two exporters, one down for the whole run',
    load: large,
    backends: ['up', 'down'],
    peers: disks,
  },
  backlog('backlog-10k', '10 k', 20),
  backlog('backlog', '1 M', 1954),
  { ...backlog('backlog-10m', '10 M', 19_532), once: true },
  {
    kind: 'syslog',
    name: 'syslog-file',
    title: 'lines of 200 bytes, into a file',
    lines: 200_000,
    warmLines: 60_000,
    out: 'file',
    peers: ['holdfast', 'rsyslog'],
  },
  {
    kind: 'syslog',
    name: 'syslog-synced',
    title: 'lines of 200 bytes, into a file, queue synced',
    // One line, one sync: rsyslog stores a thousand or three a second.
    lines: 10_000,
    warmLines: 10_000,
    out: 'file',
    peers: ['holdfast', 'rsyslog-sync'],
  },
  {
    kind: 'syslog',
    name: 'syslog-forward',
    title: 'lines of 200 bytes, to a backend',
    lines: 200_000,
    warmLines: 60_000,
    out: 'backend',
    peers: ['holdfast', 'rsyslog'],
  },
  { kind: 'idle', name: 'idle', title: 'idle', lasts_ms: 4000, peers: disks },
];
