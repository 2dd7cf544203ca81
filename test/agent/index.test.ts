import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { logRequest } from '../../agent/first_steps.ts';
import { ConfigError, startAgent, version } from '../../agent/index.ts';
import type { LogFields } from '../../config/logger.ts';
import { silentLogger } from '../../config/logger.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-embedded-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const text = `
receivers:
  otlp: {protocols: {http: {endpoint: 127.0.0.1:0}}}
processors: {batch: }
exporters:
  file: {path: "\${env:HERE}/out.jsonl"}
buffer: {directory: "\${env:HERE}/buffer"}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], processors: [batch], exporters: [file]}
`;

describe('an embedded agent', () => {
  it('starts from a text, takes a request, has it in the file, and stops', async () => {
    const told: string[] = [];
    const info = (message: string, _fields?: LogFields) => void told.push(message);
    const agent = await startAgent({
      config: { name: 'embedded', text },
      env: { HERE: directory },
      logger: { ...silentLogger, info },
    });
    try {
      const { address } = [...agent.endpoints.values()].flat()[0]!;
      const response = await fetch(`http://${address}/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: logRequest('hello from a program'),
      });
      expect(response.status).toBe(200);
      const file = path.join(directory, 'out.jsonl');
      while (!(await readFile(file, 'utf8').catch(() => '')).includes('hello from a program')) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(told).toContain('processors.batch: not needed, requests are merged when they leave the disk');
    } finally {
      await agent.stop(AbortSignal.timeout(10_000));
    }
  });

  it('is refused with every problem of its configuration', async () => {
    const wrong = startAgent({
      config: [{ name: 'a', text }],
      set: ['buffer.shards=0', 'service.x=1'],
      env: {},
    });
    await expect(wrong).rejects.toThrow(ConfigError);
    const error = (await wrong.catch((e) => e)) as ConfigError;
    const paths = error.problems.map((problem) => problem.path);
    expect(paths).toEqual(expect.arrayContaining(['buffer.shards', 'service.x', 'exporters.file.path']));
  });

  it('says its version', () => {
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
  });
});
