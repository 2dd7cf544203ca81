// What a configuration may say of authentication, with the components of this build: a door that names a guard has one.

import { describe, expect, it } from '@jest/globals';
import { components } from '../../agent/components.ts';
import { readAgentConfig } from '../../agent/schema.ts';
import { formatProblem } from '../../config/problem.ts';
import { loadConfig } from '../../config/source.ts';

function read(extensions: string, running: string, authenticator: string) {
  const text = `
receivers:
  otlp:
    protocols:
      http: {auth: {authenticator: ${authenticator}}}
exporters: {debug: }
extensions: ${extensions}
service:
  extensions: ${running}
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
`;
  const { config, problems } = readAgentConfig(
    loadConfig({ files: [{ name: 'f.yaml', text }], sets: [], env: {} }),
    components,
  );
  return { config, told: problems.map(formatProblem).join('\n') };
}

describe('authentication in a configuration', () => {
  it('is resolved to the extension that a receiver names', () => {
    const { config, told } = read(
      '{bearertokenauth/edge: {token: s3cret}, basicauth: {htpasswd: {inline: "ann:p"}}}',
      '[bearertokenauth/edge, basicauth]',
      'bearertokenauth/edge',
    );
    expect(told).toBe('');
    expect(config?.authenticators.map(({ id, kind }) => [id, kind])).toEqual([
      ['bearertokenauth/edge', 'bearer'],
      ['basicauth', 'basic'],
    ]);
    expect(JSON.stringify(config?.authenticators)).not.toContain('s3cret');
  });

  it.each([
    ['is not there', '{bearertokenauth: {token: t}}', '[bearertokenauth]', 'bearertokenaut'],
    ['does not run', '{bearertokenauth: {token: t}}', '[]', 'bearertokenauth'],
    ['is no authenticator', '{health_check: }', '[health_check]', 'health_check'],
  ])('is an error with its place when the extension %s', (_what, extensions, running, named) => {
    const { config, told } = read(extensions, running, named);
    expect(config).toBeUndefined();
    expect(told).toMatch(
      /f\.yaml:5:\d+: receivers\.otlp\.protocols\.http\.auth\.authenticator: no extension/,
    );
  });

  it('is told once where the extension that is named cannot be read', () => {
    const { told } = read(
      `{bearertokenauth: {token: "\${env:TOKEN}"}}`,
      '[bearertokenauth]',
      'bearertokenauth',
    );
    expect(told).toMatch(
      /^f\.yaml:7:\d+: extensions\.bearertokenauth\.token: the environment variable TOKEN .*$/,
    );
  });

  it.each([
    ['otlp_http: {endpoint: "http://h", auth: {authenticator: basicauth}}'],
    ['otlp_grpc: {endpoint: "h:1", auth: {authenticator: basicauth}}'],
  ])('of an exporter needs credentials to send, not users to let in: %s', (exporter) => {
    const read = (basicauth: string) => {
      const text = `
receivers: {otlp: }
exporters:
  ${exporter}
extensions: {basicauth: ${basicauth}}
service:
  extensions: [basicauth]
  pipelines: {traces: {receivers: [otlp], exporters: [${exporter.split(':')[0]}]}}
`;
      const source = loadConfig({ files: [{ name: 'f.yaml', text }], sets: [], env: {} });
      return readAgentConfig(source, components).problems.map(formatProblem).join('\n');
    };
    expect(read('{client_auth: {username: ann, password: p}}')).toBe('');
    expect(read('{htpasswd: {inline: "ann:p"}}')).toMatch(
      /f\.yaml:4:\d+: exporters\.\w+\.auth\.authenticator: no extension "basicauth" with credentials/,
    );
  });

  it.each(['ca_file', 'ca_pem'])(
    'is not what a server does with %s: a warning names client_ca_file',
    (key) => {
      const text = `
receivers:
  otlp:
    protocols:
      http: {tls: {cert_file: c, key_file: k, ${key}: a}}
exporters: {debug: }
service:
  pipelines: {traces: {receivers: [otlp], exporters: [debug]}}
`;
      const source = loadConfig({ files: [{ name: 'f.yaml', text }], sets: [], env: {} });
      const { config, problems } = readAgentConfig(source, components);
      expect(config).toBeDefined();
      expect(problems.map(formatProblem).join('\n')).toMatch(
        new RegExp(
          `^f\\.yaml:5:\\d+: receivers\\.otlp\\.protocols\\.http\\.tls\\.${key}: warning: .*client_ca_file does$`,
        ),
      );
    },
  );

  it.each([
    ['{bearertokenauth: }', 'no token'],
    ['{bearertokenauth: {token: ""}}', 'must not be empty'],
    ['{basicauth: }', 'one of htpasswd'],
    ['{basicauth: {client_auth: {username: a}}}', 'no password'],
    ['{headers_setter: {headers: [{key: a}]}}', 'one of value and value_file'],
    ['{bearertokenauth: {token: t, header: TE}}', 'set by the exporters'],
    ['{headers_setter: {headers: [{key: Content-Type, value: b}]}}', 'set by the exporters'],
    ['{headers_setter: {headers: [{key: a, from_context: b}]}}', 'from_context'],
    ['{basicauth: {htpasswd: {}}}', 'no users'],
  ])('is an error when it checks for nothing: %s', (extensions, says) => {
    const id = /\w+/.exec(extensions)![0];
    const { config, told } = read(extensions, `[${id}]`, id);
    expect(config).toBeUndefined();
    expect(told).toContain(says);
  });
});
