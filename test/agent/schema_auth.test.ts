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

  it.each([
    ['{bearertokenauth: }', 'no token'],
    ['{bearertokenauth: {token: ""}}', 'must not be empty'],
    ['{basicauth: {client_auth: {username: a, password: b}}}', 'client_auth'],
    ['{basicauth: {htpasswd: {}}}', 'no users'],
  ])('is an error when it checks for nothing: %s', (extensions, says) => {
    const { config, told } = read(extensions, '[bearertokenauth, basicauth]', 'bearertokenauth');
    expect(config).toBeUndefined();
    expect(told).toContain(says);
  });
});
