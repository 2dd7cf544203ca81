import { describe, expect, it } from '@jest/globals';
import { type ExporterTotals, summarize, type Totals } from '../../agent/summary.ts';

const exporter = (over: Partial<ExporterTotals> = {}): ExporterTotals => ({
  id: 'file',
  delivered_items: 0,
  failed_items: 0,
  lag_entries: 0,
  lag_age_ms: 0,
  held: false,
  ...over,
});
const totals = (over: Partial<Totals> = {}): Totals => ({
  received_items: 0,
  refused_items: 0,
  disk_bytes: 0,
  exporters: [exporter()],
  ...over,
});

describe('the summary', () => {
  it('says received, on disk, delivered and lag, with rates', () => {
    const now = totals({
      received_items: 12_345,
      disk_bytes: 3 * 1024 * 1024,
      exporters: [exporter({ delivered_items: 12_000, lag_entries: 7, lag_age_ms: 63_000 })],
    });
    const before = totals({ received_items: 2_345, exporters: [exporter({ delivered_items: 2_000 })] });
    const { text, fields, eventful } = summarize(now, before, 5_000);
    expect(text).toBe(
      'received 12,345 (2,000/s) · on disk 3.0 MiB · delivered 12,000 (2,000/s) · lag 7 entries (oldest 1m3s)',
    );
    expect(fields).toEqual({
      received_items: 12_345,
      received_per_s: 2_000,
      refused_items: 0,
      disk_bytes: 3_145_728,
      delivered_items: 12_000,
      delivered_per_s: 2_000,
      failed_items: 0,
      lag_entries: 7,
      lag_age_ms: 63_000,
    });
    expect(eventful).toBe(true);
  });

  it('names each exporter when there are several, and the worst lag', () => {
    const now = totals({
      received_items: 10,
      exporters: [
        exporter({ delivered_items: 10 }),
        exporter({ id: 'otlp_http/cloud', delivered_items: 4, lag_entries: 6, lag_age_ms: 200, held: true }),
      ],
    });
    expect(summarize(now, totals(), 1_000).text).toBe(
      'received 10 (10/s) · on disk 0 B · delivered file 10, otlp_http/cloud 4 (14/s) · lag 6 entries (oldest <1s) · held otlp_http/cloud',
    );
  });

  it('says what was refused and what failed', () => {
    const now = totals({ refused_items: 3, exporters: [exporter({ failed_items: 2 })] });
    expect(summarize(now, totals(), 1_000).text).toContain('refused 3 · failed 2');
  });

  it('is uneventful when nothing moved and nothing is owed', () => {
    const same = totals({ received_items: 5, exporters: [exporter({ delivered_items: 5 })] });
    expect(summarize(same, same, 5_000).eventful).toBe(false);
    const owed = totals({ received_items: 5, exporters: [exporter({ lag_entries: 1 })] });
    expect(summarize(owed, owed, 5_000).eventful).toBe(true);
  });

  it('survives no time between two snapshots and no exporter', () => {
    const { text } = summarize(totals({ received_items: 1, exporters: [] }), totals({ exporters: [] }), 0);
    expect(text).toBe('received 1 (0/s) · on disk 0 B · delivered 0 (0/s) · lag 0');
  });
});
