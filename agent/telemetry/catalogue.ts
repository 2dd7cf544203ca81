// Every metric that the agent can serve: its exact name, kind and meaning.
// Invariant: a name here is the name on /metrics. The Collector's names are the Collector's to the letter (its own
// default serves counters without `_total`), so that its dashboards and alerts work unchanged.

export interface Metric {
  readonly kind: 'counter' | 'gauge';
  readonly description: string;
  /** What the value of all workers together is; their sum unless it says otherwise. */
  readonly together?: 'largest' | 'smallest';
}

const receiver = (what: string): Metric => ({ kind: 'counter', description: `Number of ${what}.` });

export const catalogue = {
  target_info: { kind: 'gauge', description: 'Who this is: service name, version and instance.' },
  otelcol_process_uptime: { kind: 'counter', description: 'Uptime of the process, seconds.' },
  otelcol_process_cpu_seconds: { kind: 'counter', description: 'CPU time, user and system, seconds.' },
  otelcol_process_memory_rss: { kind: 'gauge', description: 'Resident memory of the process, bytes.' },

  otelcol_receiver_accepted_spans: receiver('spans that are durable on disk'),
  otelcol_receiver_accepted_metric_points: receiver('metric points that are durable on disk'),
  otelcol_receiver_accepted_log_records: receiver('log records that are durable on disk'),
  otelcol_receiver_refused_spans: receiver('spans answered with an error'),
  otelcol_receiver_refused_metric_points: receiver('metric points answered with an error'),
  otelcol_receiver_refused_log_records: receiver('log records answered with an error'),

  otelcol_exporter_sent_spans: receiver('spans that the destination has'),
  otelcol_exporter_sent_metric_points: receiver('metric points that the destination has'),
  otelcol_exporter_sent_log_records: receiver('log records that the destination has'),
  otelcol_exporter_send_failed_spans: receiver('spans given up: dead-lettered, dropped or refused for good'),
  otelcol_exporter_send_failed_metric_points: receiver(
    'metric points given up: dead-lettered, dropped or refused for good',
  ),
  otelcol_exporter_send_failed_log_records: receiver(
    'log records given up: dead-lettered, dropped or refused for good',
  ),
  otelcol_exporter_queue_size: {
    kind: 'gauge',
    description: 'Requests on disk that this exporter has not delivered.',
  },
  otelcol_exporter_queue_capacity: {
    kind: 'gauge',
    description: 'Requests that the disk budget would hold at their present mean size (an estimate).',
  },

  holdfast_exporter_retries_total: {
    kind: 'counter',
    description: 'Sends to be tried again: outage, overload, time-out.',
  },
  holdfast_exporter_held: {
    kind: 'gauge',
    together: 'largest',
    description: '1 while the destination refuses everything and is only probed.',
  },
  holdfast_exporter_dead_lettered_entries_total: {
    kind: 'counter',
    description: 'Entries moved to the dead-letter stream.',
  },
  holdfast_exporter_rejected_items_total: {
    kind: 'counter',
    description: 'Items that the destination refused for good in a partial success.',
  },

  holdfast_worker_up: { kind: 'gauge', description: '1 while the worker takes and drains, by worker.' },
  holdfast_worker_restarts_total: {
    kind: 'counter',
    description: 'How often the worker died and was started again, by worker.',
  },

  holdfast_buffer_appended_entries_total: {
    kind: 'counter',
    description: 'Entries made durable since the shard exists.',
  },
  holdfast_buffer_appended_bytes_total: {
    kind: 'counter',
    description: 'Bytes made durable by this process, as they are stored.',
  },
  holdfast_buffer_compressed_raw_bytes_total: {
    kind: 'counter',
    description: 'Bytes of frames that this process compressed, before.',
  },
  holdfast_buffer_compressed_stored_bytes_total: {
    kind: 'counter',
    description: 'Bytes of frames that this process compressed, as they are stored.',
  },
  holdfast_buffer_compression_skipped_frames_total: {
    kind: 'counter',
    description:
      'Frames stored as they were although buffer.compression is on: too small, or nothing to gain.',
  },
  holdfast_buffer_retained_entries: { kind: 'gauge', description: 'Durable entries that are on disk now.' },
  holdfast_buffer_deleted_consumed_entries_total: {
    kind: 'counter',
    description: 'Entries removed after every group had consumed them.',
  },
  holdfast_buffer_dropped_entries_total: {
    kind: 'counter',
    description: 'Unconsumed entries removed by a policy that the configuration names.',
  },
  holdfast_buffer_quarantined_entries_total: {
    kind: 'counter',
    description: 'Entries lost to damage on the disk.',
  },
  holdfast_buffer_failed_entries_total: {
    kind: 'counter',
    description: 'Entries that failed before they were durable, answered with an error.',
  },
  holdfast_buffer_used_bytes: { kind: 'gauge', description: 'Bytes of the log on disk.' },
  holdfast_buffer_max_bytes: {
    kind: 'gauge',
    together: 'largest',
    description: 'The disk budget, buffer.max_size.',
  },
  holdfast_buffer_time_to_full_seconds: {
    kind: 'gauge',
    together: 'smallest',
    description:
      'Until the disk limits are met at the pace of the last ten minutes (an estimate); no sample while the log does not grow.',
  },
  holdfast_buffer_oldest_unconsumed_age_seconds: {
    kind: 'gauge',
    description: 'Age of the oldest entry that some protecting exporter has not committed.',
  },
  holdfast_buffer_segments: { kind: 'gauge', description: 'Segment files on disk.' },
  holdfast_buffer_commits_total: {
    kind: 'counter',
    description: 'Group commits, each one fsync or direct write for all its waiters.',
  },
  holdfast_buffer_commit_way: {
    kind: 'gauge',
    description:
      'Always 1; its labels say how commits are written, direct or append, and why where direct cannot be had.',
  },
  holdfast_buffer_commit_seconds_total: {
    kind: 'counter',
    description: 'Time spent in group commits, seconds.',
  },
  holdfast_buffer_commit_seconds_max: {
    kind: 'gauge',
    description: 'The longest group commit so far, seconds.',
  },
  holdfast_buffer_switches_total: {
    kind: 'counter',
    description: 'Switches of the active block, by reason: idle, joined, size, time, weighted, asked.',
  },
  holdfast_buffer_switch_skips_total: {
    kind: 'counter',
    description: 'Switches put off: busy, a commit was under way; lingering, company was expected.',
  },
  holdfast_buffer_switch_wait_seconds_max: {
    kind: 'gauge',
    description: 'The longest that the first entry of a block waited for its switch, seconds.',
  },
  holdfast_buffer_switch_fill_bytes_mean: {
    kind: 'gauge',
    description: 'How full a block was when it was switched, bytes.',
  },
  holdfast_buffer_appends_total: {
    kind: 'counter',
    description: 'Appends by result: accepted, full, closed, failed (accepted, then the commit failed).',
  },
  holdfast_buffer_reads_total: {
    kind: 'counter',
    description: 'Reads by result: batch, empty, aborted, closed, failed.',
  },
  holdfast_buffer_read_entries_total: { kind: 'counter', description: 'Entries handed to readers.' },
  holdfast_buffer_read_bytes_total: { kind: 'counter', description: 'Bytes of entries handed to readers.' },
  holdfast_buffer_read_waits_total: { kind: 'counter', description: 'Reads that had to wait for an entry.' },
  holdfast_buffer_waiting_readers: { kind: 'gauge', description: 'Readers that wait for an entry.' },
  holdfast_buffer_pool_bytes: {
    kind: 'gauge',
    description: 'Memory of blocks for writing and reading, by state: in_use, free.',
  },
  holdfast_buffer_pool_requests_total: {
    kind: 'counter',
    description: 'Blocks asked for, by result: hit, one was free; miss, one was allocated.',
  },
  holdfast_buffer_leases: { kind: 'gauge', description: 'Batches that readers hold.' },
  holdfast_buffer_leaked_leases_total: {
    kind: 'counter',
    description: 'Batches that were forgotten without being given back.',
  },
  holdfast_buffer_lag_entries: { kind: 'gauge', description: 'Entries that the exporter has not committed.' },
  holdfast_buffer_lag_bytes: { kind: 'gauge', description: 'Bytes that the exporter has not committed.' },
  holdfast_buffer_lag_age_seconds: {
    kind: 'gauge',
    description: 'Age of the oldest entry that the exporter has not committed.',
  },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof catalogue;
