// One line every few seconds that says whether the agent does its job: received, on disk, delivered, lag.
// Pure: two snapshots in, text and fields out.

import { formatDuration } from '../config/duration.ts';
import type { LogFields } from '../config/logger.ts';

export interface ExporterTotals {
  readonly id: string;
  /** Spans, data points and log records. */
  readonly delivered_items: number;
  /** Dead-lettered, dropped or refused for good. */
  readonly failed_items: number;
  readonly lag_entries: number;
  readonly lag_age_ms: number;
  readonly held: boolean;
}

export interface Totals {
  /** Durable on disk, since the start of the process. */
  readonly received_items: number;
  /** Answered with an error. */
  readonly refused_items: number;
  readonly disk_bytes: number;
  readonly exporters: readonly ExporterTotals[];
}

export interface Summary {
  readonly text: string;
  readonly fields: LogFields;
  /** False when nothing moved and nothing is owed: the line may be left out. */
  readonly eventful: boolean;
}

export function summarize(now: Totals, before: Totals, elapsed_ms: number): Summary {
  const perSecond = (count: number): number =>
    elapsed_ms > 0 ? Math.round((count * 1_000) / elapsed_ms) : 0;
  const received_per_s = perSecond(now.received_items - before.received_items);
  const deliveredOf = (totals: Totals): number => sum(totals.exporters.map((e) => e.delivered_items));
  const delivered_per_s = perSecond(deliveredOf(now) - deliveredOf(before));
  const lag_entries = Math.max(0, ...now.exporters.map((e) => e.lag_entries));
  const lag_age_ms = Math.max(0, ...now.exporters.map((e) => e.lag_age_ms));
  const failed_items = sum(now.exporters.map((e) => e.failed_items));
  const held = now.exporters.filter((e) => e.held).map((e) => e.id);

  const parts = [
    `received ${count(now.received_items)} (${count(received_per_s)}/s)`,
    `on disk ${bytes(now.disk_bytes)}`,
    `delivered ${delivered(now)} (${count(delivered_per_s)}/s)`,
    `lag ${count(lag_entries)}${lag_entries > 0 ? ` entries (oldest ${age(lag_age_ms)})` : ''}`,
  ];
  if (now.refused_items > 0) parts.push(`refused ${count(now.refused_items)}`);
  if (failed_items > 0) parts.push(`failed ${count(failed_items)}`);
  if (held.length > 0) parts.push(`held ${held.join(', ')}`);
  return {
    text: parts.join(' · '),
    fields: {
      received_items: now.received_items,
      received_per_s,
      refused_items: now.refused_items,
      disk_bytes: now.disk_bytes,
      delivered_items: deliveredOf(now),
      delivered_per_s,
      failed_items,
      lag_entries,
      lag_age_ms: Math.round(lag_age_ms),
      ...(held.length > 0 ? { held: held.join(',') } : {}),
    },
    eventful:
      lag_entries > 0 ||
      now.received_items !== before.received_items ||
      now.refused_items !== before.refused_items ||
      deliveredOf(now) !== deliveredOf(before) ||
      failed_items !== sum(before.exporters.map((e) => e.failed_items)),
  };
}

/** With one exporter its number, with several each by name: their sum would be more than was received. */
function delivered(totals: Totals): string {
  const [only, ...others] = totals.exporters;
  if (!only) return '0';
  if (others.length === 0) return count(only.delivered_items);
  return totals.exporters.map((e) => `${e.id} ${count(e.delivered_items)}`).join(', ');
}

/** 1234567 → 1,234,567. By hand: Intl.NumberFormat costs 26 ms at start and 6 MB for ever. */
function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 1_024 && unit < units.length - 1) {
    scaled /= 1_024;
    unit += 1;
  }
  return `${unit === 0 ? scaled : scaled.toFixed(1)} ${units[unit]}`;
}

function age(ms: number): string {
  return ms < 1_000 ? '<1s' : formatDuration(Math.round(ms / 1_000) * 1_000);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
