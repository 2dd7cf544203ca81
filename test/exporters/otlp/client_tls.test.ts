import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Logger, silentLogger } from '../../../config/logger.ts';
import { clientTlsSchema } from '../../../config/tls.ts';
import { FreshTls } from '../../../exporters/otlp/client_tls.ts';
import { selfSigned } from './self_signed.ts';

let directory: string;
let now_ms: number;
let said: string[];
const logger: Logger = {
  ...silentLogger,
  info: (message) => void said.push(message),
  warn: (message) => void said.push(message),
};

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'holdfast-client-tls-'));
  now_ms = 0;
  said = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const opened = (config: object) => new FreshTls(clientTlsSchema.parse(config), logger, () => now_ms);
function written(name: string, text: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  return file;
}

it('reads files again after reload_interval, and takes them only when certificate and key fit', () => {
  const [old, next] = [selfSigned('old.test'), selfSigned('next.test')];
  const [cert_file, key_file] = [written('cert', old.cert), written('key', old.key)];
  const tls = opened({ cert_file, key_file, reload_interval: '5s' });
  const before = tls.now();
  expect(before).toMatchObject({ cert: old.cert, key: old.key });
  written('cert', next.cert);
  now_ms += 4_999;
  expect(tls.now()).toBe(before);
  now_ms += 1;
  expect(tls.now()).toBe(before);
  now_ms += 5_000;
  expect(tls.now()).toBe(before);
  expect(said).toEqual(['the new TLS files cannot be used; those before stay']);
  written('key', next.key);
  now_ms += 5_000;
  expect(tls.now()).toMatchObject({ cert: next.cert, key: next.key });
  expect(said).toHaveLength(2);
  const after = tls.now();
  now_ms += 5_000;
  expect(tls.now()).toBe(after);
});

it('keeps what it has when a file is gone', () => {
  const { cert } = selfSigned('ca.test');
  const tls = opened({ ca_file: written('ca', cert) });
  const before = tls.now();
  rmSync(path.join(directory, 'ca'));
  now_ms += 10_000;
  expect(tls.now()).toBe(before);
});

it('is an error at the start with files that cannot be used', () => {
  const [one, other] = [selfSigned('one.test'), selfSigned('other.test')];
  expect(() => opened({ cert_pem: one.cert, key_pem: other.key })).toThrow(/cannot be used/);
  expect(() => opened({ ca_file: '/nowhere/ca.pem' })).toThrow('/nowhere/ca.pem does not exist');
});

const { cert, key } = selfSigned('edge.example');
it.each([
  ['ca_file', '', /ca holds no certificate/],
  ['ca_file', cert.slice(0, 300), /ca holds a certificate that is cut off/],
  ['cert_file', '', /cert holds no certificate/],
  ['key_file', '', /key is empty/],
])('refuses a %s that holds %j: it is never the system’s authorities instead', (name, text, message) => {
  const files = { cert_file: written('cert', cert), key_file: written('key', key) };
  const config = { ...files, [name]: written(name.split('_')[0]!, text) };
  let error: unknown;
  try {
    opened(config);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: 'HF_EXPORT_TLS_FILE', message: expect.stringMatching(message) });
});
