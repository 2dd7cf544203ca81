// Reads the counters of a running agent into metrics: one function from state to samples, called by a scrape.

import type { LogStats } from '../../buffer/index.ts';
import { itemName, type Signal, signals } from '../../otlp/signal.ts';
import type { Outlet } from '../outlet.ts';
import type { MetricName } from './catalogue.ts';
import type { MetricsSource, RecordMetric } from './metrics.ts';
import type { ReceiverCounters } from './receiver_counters.ts';

export interface Observed {
  readonly version: string;
  readonly instanceId: string;
  /** By the receiver's id. */
  readonly receivers: ReadonlyMap<string, ReceiverCounters>;
  readonly outlets: readonly Outlet[];
  readonly stats: () => LogStats;
}

/** What an entry is taken to be in an estimate as long as there is none to measure, bytes. */
const ENTRY_BYTES_TYPICAL = 4_096;

export function metricsSource(observed: Observed): MetricsSource {
  return (record) => {
    recordProcess(observed, record);
    recordReceivers(observed, record);
    const stats = observed.stats();
    for (const outlet of observed.outlets) recordOutlet(outlet, stats, record);
    recordBuffer(stats, record);
    recordBlocks(stats, record);
  };
}

function recordProcess({ version, instanceId }: Observed, record: RecordMetric): void {
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

function recordReceivers({ receivers }: Observed, record: RecordMetric): void {
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

function recordOutlet(outlet: Outlet, stats: LogStats, record: RecordMetric): void {
  const exporter = outlet.id;
  for (const signal of signals) {
    if (!outlet.carries(signal)) continue;
    const counters = outlet.telemetry.signals[signal];
    record(named('otelcol_exporter_sent_', signal), counters.sentItems, { exporter });
    record(named('otelcol_exporter_send_failed_', signal), counters.sendFailedItems, { exporter });
    const labels = { exporter, data_type: signal };
    const { entries, bytes } = outlet.lag(signal);
    const free_bytes = Math.max(0, stats.maxSize_bytes - stats.used_bytes);
    const entry_bytes = entries > 0 && bytes > 0 ? bytes / entries : ENTRY_BYTES_TYPICAL;
    record('otelcol_exporter_queue_size', entries, labels);
    record('otelcol_exporter_queue_capacity', entries + Math.floor(free_bytes / entry_bytes), labels);
    record('holdfast_exporter_retries_total', counters.retries, labels);
    record('holdfast_exporter_dead_lettered_entries_total', counters.deadLetteredEntries, labels);
    record('holdfast_exporter_rejected_items_total', counters.rejectedItems, labels);
  }
  record('holdfast_exporter_held', outlet.telemetry.held > 0 ? 1 : 0, { exporter });
  for (const source of outlet.sources) {
    const labels = { exporter, stream: source.stream, shard: String(source.shard) };
    const lag = source.lag();
    record('holdfast_buffer_lag_entries', lag.entries, labels);
    record('holdfast_buffer_lag_bytes', lag.bytes, labels);
    record('holdfast_buffer_lag_age_seconds', lag.age_ms / 1_000, labels);
  }
}

function recordBuffer(stats: LogStats, record: RecordMetric): void {
  record('holdfast_buffer_used_bytes', stats.used_bytes);
  record('holdfast_buffer_max_bytes', stats.maxSize_bytes);
  const { way, reason = '' } = stats.commitWay;
  record('holdfast_buffer_commit_way', 1, { way, reason });
  // Without a sample no alert on it fires, which is right for a log that does not grow.
  if (stats.timeToFull_ms !== undefined) {
    record('holdfast_buffer_time_to_full_seconds', stats.timeToFull_ms / 1_000);
  }
  for (const [stream, shards] of Object.entries(stats.streams)) {
    for (const [index, shard] of shards.entries()) {
      const { account, commits, compression, segments } = shard;
      const labels = { stream, shard: String(index) };
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

/** How entries move through memory: blocks switched, appends and reads by result, the pool. */
function recordBlocks({ leases, pool, streams }: LogStats, record: RecordMetric): void {
  for (const [stream, shards] of Object.entries(streams)) {
    for (const [index, { reads, switches, writes }] of shards.entries()) {
      const labels = { stream, shard: String(index) };
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
  record('holdfast_buffer_pool_bytes', pool.in_use_bytes, { state: 'in_use' });
  record('holdfast_buffer_pool_bytes', pool.free_bytes, { state: 'free' });
  record('holdfast_buffer_pool_requests_total', pool.hits, { result: 'hit' });
  record('holdfast_buffer_pool_requests_total', pool.misses, { result: 'miss' });
  record('holdfast_buffer_leases', leases.open);
  record('holdfast_buffer_leaked_leases_total', leases.leaked);
}

type Counted =
  `otelcol_${'receiver_accepted' | 'receiver_refused' | 'exporter_sent' | 'exporter_send_failed'}_`;

function named(prefix: Counted, signal: Signal): MetricName {
  return `${prefix}${itemName[signal]}`;
}
