// Pipelines that share a receiver share its stream: what came in is on disk once, however many exporters read it, and each
// reads at its own pace with a protection of its own.

import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Agent, startAgent } from '../../agent/index.ts';
import { removeDirectory, temporaryDirectory } from '../e2e/temporary.ts';

const BODIES = 40;
const BODY_BYTES = 20_000;

let directory: string;
const running: Agent[] = [];
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((agent) => agent.stop(AbortSignal.abort())));
  removeDirectory(directory);
});

/** One pipeline for each exporter, all of them behind the same receiver. */
function configuration(name: string, exporters: Readonly<Record<string, object>>): string {
  return JSON.stringify({
    receivers: { http: { endpoint: '127.0.0.1:0' } },
    exporters,
    buffer: { directory: path.join(directory, name), min_free_space: 0 },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: Object.fromEntries(
        Object.keys(exporters).map((id, index) => [
          `logs/${index}`,
          { receivers: ['http'], exporters: [id] },
        ]),
      ),
    },
  });
}

/** Starts an agent, sends it always the same, stops it. @returns bytes of its segments */
async function bytesOnDisk(name: string, exporters: Readonly<Record<string, object>>): Promise<number> {
  const agent = await startAgent({ config: { name, text: configuration(name, exporters) } });
  running.push(agent);
  const { address } = [...agent.endpoints.values()].flat()[0]!;
  for (let index = 0; index < BODIES; index++) {
    const body = String.fromCharCode(97 + (index % 26)).repeat(BODY_BYTES);
    const response = await fetch(`http://${address}/`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body,
    });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
  }
  await agent.stop(AbortSignal.timeout(30_000));
  running.length = 0;
  const buffer = path.join(directory, name);
  const segments = fs.globSync('**/*.log', { cwd: buffer });
  return segments.reduce((sum, file) => sum + fs.statSync(path.join(buffer, file)).size, 0);
}

test('three exporters cost the disk what one does', async () => {
  const nowhere = { endpoint: 'http://127.0.0.1:9' };
  const one = await bytesOnDisk('one', { 'otlp_http/a': nowhere });
  expect(one).toBeGreaterThan(BODIES * BODY_BYTES);
  const three = await bytesOnDisk('three', {
    'otlp_http/a': nowhere,
    'otlp_http/b': { ...nowhere, protect: false },
    'file/c': { path: path.join(directory, 'c.jsonl'), max_lag: { age: '1h' } },
  });
  // Commits may fall a little differently; a second copy would double it.
  expect(Math.abs(three - one)).toBeLessThan(one / 100);
});

test('each exporter has one group on the stream, and what one has delivered the others still have to', async () => {
  const file = path.join(directory, 'c.jsonl');
  await bytesOnDisk('groups', {
    'otlp_http/a': { endpoint: 'http://127.0.0.1:9' },
    'file/c': { path: file },
  });
  const again = await startAgent({
    config: {
      name: 'again',
      text: configuration('groups', {
        'file/a': { path: path.join(directory, 'a.jsonl') },
        'otlp_http/a': { endpoint: 'http://127.0.0.1:9' },
        'file/c': { path: file },
      }),
    },
  });
  running.push(again);
  const lines = (name: string): number =>
    fs.existsSync(name) ? fs.readFileSync(name, 'utf8').split('\n').length - 1 : 0;
  // A group that is new begins with what is still there; one that is known goes on where it was.
  while (lines(path.join(directory, 'a.jsonl')) < BODIES)
    await new Promise((resolve) => setImmediate(resolve));
  while (lines(file) < BODIES) await new Promise((resolve) => setImmediate(resolve));
  expect(lines(file)).toBe(BODIES);
});
