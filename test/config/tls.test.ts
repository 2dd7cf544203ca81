import { describe, expect, it } from '@jest/globals';
import { clientTlsSchema, serverTlsSchema } from '../../config/tls.ts';

const places = (result: { error?: { issues: { path: PropertyKey[] }[] } | undefined }): string[] =>
  (result.error?.issues ?? []).map((issue) => issue.path.join('.'));

describe('TLS options of a client', () => {
  it('are safe where nothing is said', () => {
    expect(clientTlsSchema.parse({})).toEqual({
      insecure: false,
      insecure_skip_verify: false,
      min_version: '1.2',
    });
  });

  it('take files or PEM, the key of which is a secret', () => {
    const value = clientTlsSchema.parse({ ca_file: '/ca', cert_pem: 'C', key_pem: 'K', min_version: '1.3' });
    expect(value.key_pem!.reveal()).toBe('K');
    expect(JSON.stringify(value)).not.toContain('"K"');
  });

  it.each<[string, object, string[]]>([
    ['a certificate without its key', { cert_file: 'c' }, ['key_file']],
    ['a key without its certificate', { key_pem: 'k' }, ['cert_file']],
    ['a file and PEM for one thing', { ca_file: 'a', ca_pem: 'b' }, ['ca_pem']],
    ['a version below 1.2', { min_version: '1.1' }, ['min_version']],
    ['versions the wrong way round', { min_version: '1.3', max_version: '1.2' }, ['max_version']],
    ['an unknown key', { certfile: 'x' }, ['']],
    ['reading files again all the time', { reload_interval: '1ms' }, ['reload_interval']],
  ])('refuse %s', (_what, value, expected) => {
    expect(places(clientTlsSchema.safeParse(value))).toEqual(expected);
  });
});

describe('TLS options of a server', () => {
  it('take a certificate, its key, and who may come in', () => {
    expect(serverTlsSchema.parse({ cert_file: 'c', key_file: 'k', client_ca_file: 'a' })).toEqual({
      cert_file: 'c',
      key_file: 'k',
      client_ca_file: 'a',
      min_version: '1.2',
    });
  });

  it('refuse to be without a certificate, and what only a client can say', () => {
    expect(places(serverTlsSchema.safeParse({}))).toEqual(['cert_file']);
    expect(serverTlsSchema.safeParse({ cert_file: 'c', key_file: 'k', insecure: true }).success).toBe(false);
  });
});
