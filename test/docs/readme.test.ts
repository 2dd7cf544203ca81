// What the documents show works as it is printed: commands run, configurations are valid, links lead somewhere.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { commands } from '../../agent/command_line.ts';
import { components } from '../../agent/components.ts';
import { readAgentConfig } from '../../agent/schema.ts';
import type { Problem } from '../../config/problem.ts';
import { loadConfig } from '../../config/source.ts';
import { AgentProcess } from '../e2e/agent_process.ts';
import { removeDirectory, temporaryDirectory } from '../e2e/temporary.ts';

const execute = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const examples = fs.readdirSync(path.join(root, 'examples')).filter((name) => name.endsWith('.yaml'));
const documents = fs
  .globSync('**/*.md', {
    cwd: root,
    exclude: ['node_modules', 'dist', '**/.*', 'holdfast-data', 'bench/.work'],
  })
  .toSorted();

function text(document: string): string {
  return fs.readFileSync(path.join(root, document), 'utf8');
}

function blocks(document: string, language: string): string[] {
  return [...text(document).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    (match) => match[1]!,
  );
}

function problemsOf(...texts: readonly string[]): readonly Problem[] {
  const files = texts.map((each, index) => ({ name: `block ${index}`, text: each }));
  const env = { OTLP_TOKEN: 'token' };
  return readAgentConfig(loadConfig({ files, sets: [], env }), components).problems;
}

/** A block that shows one part gets what it leaves out. */
function around(block: string): string {
  const shown = parse(block) as Record<'receivers' | 'exporters', Record<string, unknown> | undefined>;
  const receivers = Object.keys({ otlp: null, ...shown.receivers }).join(', ');
  const exporters = Object.keys(shown.exporters ?? { debug: null });
  return `receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } } }
exporters: { ${exporters.join(': {}, ')}: {} }
service: { pipelines: { logs: { receivers: [${receivers}], exporters: [${exporters.join(', ')}] } } }
`;
}

/** The anchors that a document offers, by GitHub's rule. */
function anchors(document: string): Set<string> {
  const headings = [...text(document).matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
  fs.symlinkSync(path.join(root, 'examples'), path.join(directory, 'examples'));
});
afterEach(() => removeDirectory(directory));

describe('the README', () => {
  it('has only shell blocks that work as printed', async () => {
    const bin = path.join(directory, 'bin');
    fs.mkdirSync(bin);
    const shim = `#!/bin/sh\nexec '${process.execPath}' '${path.join(root, 'bin/holdfast.js')}' "$@"\n`;
    fs.writeFileSync(path.join(bin, 'holdfast'), shim, { mode: 0o755 });
    const shell = blocks('README.md', 'sh');
    expect(shell.length).toBeGreaterThan(1);
    for (const block of shell) {
      const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
      const { stdout } = await execute('bash', ['-eu', '-c', block], { cwd: directory, env });
      expect(stdout).not.toBe('');
    }
  });

  it('names every command in its table, and no other', () => {
    const rows = [...text('README.md').matchAll(/^\| (?:`holdfast` or )?`holdfast ([\w-]+)(?: [A-Z]+)?`/gm)];
    expect(rows.map((row) => row[1]!).toSorted()).toEqual(Object.keys(commands).toSorted());
  });
});

describe('every document', () => {
  it.each(documents)('%s shows valid configurations', (document) => {
    for (const block of blocks(document, 'yaml')) {
      const isWhole = /^service:/m.test(block);
      const problems = isWhole ? problemsOf(block) : problemsOf(around(block), block);
      expect(problems).toEqual([]);
    }
  });

  it.each(documents)('%s has links that lead somewhere', (document) => {
    const links = [...text(document).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
    const dead = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? document : path.join(path.dirname(document), file);
      if (!fs.existsSync(path.join(root, target))) return true;
      return anchor !== undefined && !anchors(target).has(anchor);
    });
    expect(dead).toEqual([]);
  });
});

const otlpDoors = ['receivers.otlp.protocols.grpc.endpoint', 'receivers.otlp.protocols.http.endpoint'];

describe('every example', () => {
  it.each(examples)('%s is valid without a warning', (name) => {
    expect(problemsOf(text(`examples/${name}`))).toEqual([]);
  });

  it.each<[string, readonly string[]]>([
    [
      'gateway.yaml',
      [
        ...otlpDoors,
        'receivers.http.endpoint',
        'receivers.syslog.tcp.listen_address',
        'receivers.syslog.udp.listen_address',
      ],
    ],
    ['collector.yaml', otlpDoors],
    [
      'sidecar.yaml',
      [...otlpDoors, 'receivers.syslog.tcp.listen_address', 'receivers.syslog.udp.listen_address'],
    ],
    [
      'syslog-relay.yaml',
      ['receivers.syslog/devices.tcp.listen_address', 'receivers.syslog/devices.udp.listen_address'],
    ],
  ])('%s starts, and stops with exit code 0', async (name, doors) => {
    const yaml = text(`examples/${name}`);
    const addresses = [...doors, 'extensions.health_check.endpoint', 'service.telemetry.metrics.address'];
    const sets = [...addresses.map((key) => `${key}=127.0.0.1:0`), 'buffer.min_free_space=0'];
    const args = sets.flatMap((set) => ['--set', set]);
    const agent = await AgentProcess.start(directory, yaml, args);
    try {
      const protocol = doors === otlpDoors ? 'http' : 'udp';
      expect(agent.endpoint(protocol)).toMatch(/127\.0\.0\.1:\d+$/);
    } finally {
      expect(await agent.stop()).toBe(0);
    }
  });
});

describe('a configuration with five mistakes', () => {
  it('has all of them reported at once, each with file, line and column', async () => {
    const file = path.join(directory, 'agent.yaml');
    fs.writeFileSync(
      file,
      `receivers:
  otlp:
    protocols:
      grcp: { endpoint: 127.0.0.1:4317 }
      http: { endpoint: 127.0.0.1:99999 }
exporters:
  otlp_http:
    endpoint: https://otlp.example.com
    timeout: 30 parsecs
buffer:
  when_full: explode
service:
  pipelines:
    traces: { receivers: [otlp], exporters: [otlp_htp] }
`,
    );
    const launcher = path.join(root, 'bin/holdfast.js');
    const failed = await execute(process.execPath, [launcher, 'validate', '--config', 'agent.yaml'], {
      cwd: directory,
    }).catch((error: { code: number; stderr: string }) => error);
    expect('code' in failed && failed.code).toBe(1);
    const lines = failed.stderr.trimEnd().split('\n');
    expect(lines.map((line) => /^agent\.yaml:\d+:\d+: [\w.[\]]+/.exec(line)?.[0])).toEqual([
      'agent.yaml:4:7: receivers.otlp.protocols.grcp',
      'agent.yaml:5:15: receivers.otlp.protocols.http.endpoint',
      'agent.yaml:9:5: exporters.otlp_http.timeout',
      'agent.yaml:11:3: buffer.when_full',
      'agent.yaml:14:46: service.pipelines.traces.exporters[0]',
      undefined,
    ]);
    expect(lines.at(-1)).toBe('5 errors');
  });
});
