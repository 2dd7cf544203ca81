// Reads the counters of a running agent into metrics: one function from state to samples, called by a scrape.

import type { Attributes } from '@opentelemetry/api';
import type { LogStats } from '../../buffer/index.ts';
import { itemName, type Signal, signals } from '../../otlp/signal.ts';
import type { Outlet } from '../outlet.ts';
import type { MetricName } from './catalogue.ts';
import type { RecordMetric } from './metrics.ts';
import type { ReceiverCounters } from './receiver_counters.ts';

export interface ObservedLog {
  readonly log: { stats(): LogStats };
  /** The number of the worker whose log it is, where there are several. */
  readonly worker: string | undefined;
}

export interface Observed {
  /** By the receiver's id. */
  readonly receivers: ReadonlyMap<string, ReceiverCounters>;
  readonly outlets: readonly Outlet[];
  readonly logs: readonly ObservedLog[];
  /** How many such parts the process has; what all of them share is divided. */
  readonly workers: number;
}

/** What an entry is taken to be in an estimate as long as there is none to measure, bytes. */
const ENTRY_BYTES_TYPICAL = 4_096;

/** Of one event loop and its logs: series of a shard name the worker where there are several, all others can be combined. */
export function recordAgent({ receivers, outlets, logs, workers }: Observed, record: RecordMetric): void {
  recordReceivers(receivers, record);
  const all = logs.map(({ log, worker }) => ({ stats: log.stats(), worker }));
  const free_bytes = Math.max(0, Math.min(...all.map(({ stats }) => stats.room_bytes))) / workers;
  for (const outlet of outlets) recordOutlet(outlet, free_bytes, record);
  recordLogs(
    all.map(({ stats }) => stats),
    record,
  );
  for (const { stats, worker } of all) {
    const labels = worker === undefined ? {} : { worker };
    recordShards(stats, labels, record);
    recordBlocks(stats, labels, record);
  }
}

export function recordProcess(
  { version, instanceId }: { readonly version: string; readonly instanceId: string },
  record: RecordMetric,
): void {
  const { user, system } = process.cpuUsage();
  record('target_info', 1, {
    service_name: 'holdfast',
    service_version: version,
    service_instance_id: instanceId,
  });
  record('otelcol_process_uptime', process.uptime());
  record('otelcol_process_cpu_seconds', (user + system) / 1e6);
  record('otelcol_process_memory_rss', process.memoryUsage.rss());
}

function recordReceivers(receivers: Observed['receivers'], record: RecordMetric): void {
  for (const [receiver, counters] of receivers) {
    for (const [transport, { accepted, refused }] of counters.entries()) {
      for (const signal of signals) {
        const labels = { receiver, transport };
        record(named('otelcol_receiver_accepted_', signal), accepted[signal], labels);
        record(named('otelcol_receiver_refused_', signal), refused[signal], labels);
      }
    }
  }
}

function recordOutlet(outlet: Outlet, free_bytes: number, record: RecordMetric): void {
  const exporter = outlet.id;
  for (const signal of signals) {
    if (!outlet.carries(signal)) continue;
    const counters = outlet.telemetry.signals[signal];
    record(named('otelcol_exporter_sent_', signal), counters.sentItems, { exporter });
    record(named('otelcol_exporter_send_failed_', signal), counters.sendFailedItems, { exporter });
    const labels = { exporter, data_type: signal };
    const { entries, bytes } = outlet.lag(signal);
    const entry_bytes = entries > 0 && bytes > 0 ? bytes / entries : ENTRY_BYTES_TYPICAL;
    record('otelcol_exporter_queue_size', entries, labels);
    record('otelcol_exporter_queue_capacity', entries + Math.floor(free_bytes / entry_bytes), labels);
    record('holdfast_exporter_retries_total', counters.retries, labels);
    record('holdfast_exporter_dead_lettered_entries_total', counters.deadLetteredEntries, labels);
    record('holdfast_exporter_rejected_items_total', counters.rejectedItems, labels);
  }
  record('holdfast_exporter_held', outlet.telemetry.held > 0 ? 1 : 0, { exporter });
  for (const source of outlet.sources) {
    const { stream, shard, worker } = source;
    const labels = { exporter, stream, shard: String(shard), ...(worker === undefined ? {} : { worker }) };
    const lag = source.lag();
    record('holdfast_buffer_lag_entries', lag.entries, labels);
    record('holdfast_buffer_lag_bytes', lag.bytes, labels);
    record('holdfast_buffer_lag_age_seconds', lag.age_ms / 1_000, labels);
  }
}

function recordLogs(all: readonly LogStats[], record: RecordMetric): void {
  const sum = (of: (stats: LogStats) => number): number => all.reduce((total, stats) => total + of(stats), 0);
  record(
    'holdfast_buffer_used_bytes',
    sum(({ used_bytes }) => used_bytes),
  );
  // The budget is one for all of them, and so is when it will be used up.
  const [{ maxSize_bytes, timeToFull_ms }] = all as [LogStats];
  record('holdfast_buffer_max_bytes', maxSize_bytes);
  // Without a sample no alert on it fires, which is right for a log that does not grow.
  if (timeToFull_ms !== undefined) record('holdfast_buffer_time_to_full_seconds', timeToFull_ms / 1_000);
  record(
    'holdfast_buffer_pool_bytes',
    sum(({ pool }) => pool.in_use_bytes),
    { state: 'in_use' },
  );
  record(
    'holdfast_buffer_pool_bytes',
    sum(({ pool }) => pool.free_bytes),
    { state: 'free' },
  );
  record(
    'holdfast_buffer_pool_requests_total',
    sum(({ pool }) => pool.hits),
    { result: 'hit' },
  );
  record(
    'holdfast_buffer_pool_requests_total',
    sum(({ pool }) => pool.misses),
    { result: 'miss' },
  );
  record(
    'holdfast_buffer_leases',
    sum(({ leases }) => leases.open),
  );
  record(
    'holdfast_buffer_leaked_leases_total',
    sum(({ leases }) => leases.leaked),
  );
}

function recordShards(stats: LogStats, of: Attributes, record: RecordMetric): void {
  const { way, reason = '' } = stats.commitWay;
  record('holdfast_buffer_commit_way', 1, { ...of, way, reason });
  for (const [stream, shards] of Object.entries(stats.streams)) {
    for (const [index, shard] of shards.entries()) {
      const { account, commits, compression, segments } = shard;
      const labels = { ...of, stream, shard: String(index) };
      const oldest_s = shard.oldestUnconsumed_age_ms / 1_000;
      record('holdfast_buffer_oldest_unconsumed_age_seconds', oldest_s, labels);
      record('holdfast_buffer_appended_entries_total', account.appended, labels);
      record('holdfast_buffer_appended_bytes_total', commits.bytes, labels);
      record('holdfast_buffer_compressed_raw_bytes_total', compression.raw_bytes, labels);
      record('holdfast_buffer_compressed_stored_bytes_total', compression.stored_bytes, labels);
      record('holdfast_buffer_compression_skipped_frames_total', compression.skipped, labels);
      record('holdfast_buffer_retained_entries', account.retained, labels);
      record('holdfast_buffer_deleted_consumed_entries_total', account.deletedConsumed, labels);
      for (const [reason, entries] of Object.entries(account.dropped)) {
        record('holdfast_buffer_dropped_entries_total', entries, { ...labels, reason });
      }
      record('holdfast_buffer_quarantined_entries_total', account.quarantined, labels);
      record('holdfast_buffer_failed_entries_total', account.failed, labels);
      record('holdfast_buffer_segments', segments, labels);
      record('holdfast_buffer_commits_total', commits.commits, labels);
      record('holdfast_buffer_commit_seconds_total', commits.latency_ms_total / 1_000, labels);
      record('holdfast_buffer_commit_seconds_max', commits.latency_ms_max / 1_000, labels);
    }
  }
}

/** How entries move through memory: blocks switched, appends and reads by result. */
function recordBlocks({ streams }: LogStats, of: Attributes, record: RecordMetric): void {
  for (const [stream, shards] of Object.entries(streams)) {
    for (const [index, { reads, switches, writes }] of shards.entries()) {
      const labels = { ...of, stream, shard: String(index) };
      for (const [reason, count] of Object.entries(switches.reasons)) {
        record('holdfast_buffer_switches_total', count, { ...labels, reason });
      }
      for (const [why, count] of Object.entries(switches.skipped)) {
        record('holdfast_buffer_switch_skips_total', count, { ...labels, why });
      }
      record('holdfast_buffer_switch_wait_seconds_max', switches.latency_ms.max / 1_000, labels);
      record('holdfast_buffer_switch_fill_bytes_mean', switches.fill_bytes.mean, labels);
      for (const [result, count] of Object.entries(writes)) {
        record('holdfast_buffer_appends_total', count, { ...labels, result });
      }
      const { aborted, batches, closed, empty, failed } = reads;
      for (const [result, count] of Object.entries({ batch: batches, empty, aborted, closed, failed })) {
        record('holdfast_buffer_reads_total', count, { ...labels, result });
      }
      record('holdfast_buffer_read_entries_total', reads.entries, labels);
      record('holdfast_buffer_read_bytes_total', reads.bytes, labels);
      record('holdfast_buffer_read_waits_total', reads.waits, labels);
      record('holdfast_buffer_waiting_readers', reads.waiting, labels);
    }
  }
}

type Counted =
  `otelcol_${'receiver_accepted' | 'receiver_refused' | 'exporter_sent' | 'exporter_send_failed'}_`;

function named(prefix: Counted, signal: Signal): MetricName {
  return `${prefix}${itemName[signal]}`;
}
