import { describe, expect, it } from '@jest/globals';
import { catalogue } from '../../../agent/telemetry/catalogue.ts';
import { createMetrics, type MetricsSource } from '../../../agent/telemetry/metrics.ts';

async function page(source: MetricsSource): Promise<string[]> {
  const metrics = createMetrics(source);
  const text = await metrics.render();
  await metrics.close();
  expect(text.endsWith('\n')).toBe(true);
  return text.split('\n');
}

describe('the metrics page', () => {
  it('serves counters by exactly the names of the Collector, as counters', async () => {
    const labels = { receiver: 'otlp', transport: 'http' };
    const lines = await page((record) => record('otelcol_receiver_accepted_spans', 12, labels));
    expect(lines).toContain('# TYPE otelcol_receiver_accepted_spans counter');
    expect(lines).toContain('otelcol_receiver_accepted_spans{receiver="otlp",transport="http"} 12');
    expect(lines.join('\n')).not.toContain('otelcol_receiver_accepted_spans_total');
  });

  it('serves names that end in _total as they are', async () => {
    const lines = await page((record) =>
      record('holdfast_buffer_dropped_entries_total', 3, { reason: 'full' }),
    );
    expect(lines).toContain('# TYPE holdfast_buffer_dropped_entries_total counter');
    expect(lines).toContain('holdfast_buffer_dropped_entries_total{reason="full"} 3');
  });

  it('serves gauges, without labels too', async () => {
    const lines = await page((record) => record('otelcol_process_memory_rss', 5e7));
    expect(lines).toContain('# TYPE otelcol_process_memory_rss gauge');
    expect(lines).toContain('otelcol_process_memory_rss 50000000');
  });

  it('declares every metric of the catalogue once, with help', async () => {
    const lines = await page((record) => {
      for (const name of Object.keys(catalogue)) record(name as keyof typeof catalogue, 1);
    });
    for (const [name, { kind, description }] of Object.entries(catalogue)) {
      expect(lines.filter((line) => line === `# TYPE ${name} ${kind}`)).toHaveLength(1);
      expect(lines).toContain(`# HELP ${name} ${description}`);
      expect(lines).toContain(`${name} 1`);
    }
  });

  it('reads the counters anew for each scrape', async () => {
    let value = 1;
    const metrics = createMetrics((record) => record('otelcol_process_uptime', value));
    expect(await metrics.render()).toContain('\notelcol_process_uptime 1\n');
    value = 2;
    expect(await metrics.render()).toContain('\notelcol_process_uptime 2\n');
    await metrics.close();
  });

  it('escapes what a label may hold', async () => {
    const lines = await page((record) => record('otelcol_exporter_queue_size', 1, { exporter: 'a"b\\c\nd' }));
    expect(lines).toContain('otelcol_exporter_queue_size{exporter="a\\"b\\\\c\\nd"} 1');
  });

  it('fails, rather than serve half a page, when a counter cannot be read', async () => {
    const metrics = createMetrics(() => {
      throw new Error('shard closed');
    });
    await expect(metrics.render()).rejects.toThrow('reading the counters failed');
    await metrics.close();
  });

  it('keeps two agents in one process apart', async () => {
    const [a, b] = [1, 2].map((value) => createMetrics((record) => record('otelcol_process_uptime', value)));
    expect(await a!.render()).toContain('\notelcol_process_uptime 1\n');
    expect(await b!.render()).toContain('\notelcol_process_uptime 2\n');
    await Promise.all([a!.close(), b!.close()]);
  });
});
