// What a destination is checked against: files that are cut off are an error, never the system's authorities.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { clientTlsSchema } from '../../../config/tls.ts';
import { tlsOptions } from '../../../exporters/otlp/client_tls.ts';
import { selfSigned } from './self_signed.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'holdfast-tls-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  writeFileSync(path.join(directory, name), text);
  return path.join(directory, name);
}

describe('tlsOptions', () => {
  const { cert, key } = selfSigned('edge.example');

  it('reads the files that are named', async () => {
    const tls = clientTlsSchema.parse({
      ca_file: write('ca', cert),
      cert_file: write('cert', cert),
      key_file: write('key', key),
    });
    expect(await tlsOptions(tls)).toMatchObject({ ca: cert, cert, key, rejectUnauthorized: true });
  });

  it.each([
    ['ca_file', '', /ca holds no certificate/],
    ['ca_file', cert.slice(0, 300), /ca holds a certificate that is cut off/],
    ['cert_file', '', /cert holds no certificate/],
    ['key_file', '', /key is empty/],
  ])('refuses a %s that holds %j', async (name, text, message) => {
    const files = { cert_file: write('cert', cert), key_file: write('key', key) };
    const tls = clientTlsSchema.parse({ ...files, [name]: write(name.split('_')[0]!, text) });
    await expect(tlsOptions(tls)).rejects.toMatchObject({
      code: 'HF_EXPORT_TLS_FILE',
      message: expect.stringMatching(message),
    });
  });
});
