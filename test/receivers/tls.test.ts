import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Logger, silentLogger } from '../../config/logger.ts';
import { serverTlsSchema } from '../../config/tls.ts';
import { ServerCertificate } from '../../receivers/tls.ts';
import { selfSigned } from '../exporters/otlp/self_signed.ts';

let directory: string;
const file = (name: string) => path.join(directory, name);
const files = () => ({ cert_file: file('cert.pem'), key_file: file('key.pem') });

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'holdfast-tls-'));
  write(selfSigned('one.example'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function write({ cert, key }: { cert: string; key: string }): void {
  writeFileSync(file('cert.pem'), cert);
  writeFileSync(file('key.pem'), key);
}

class Contexts {
  readonly given: SecureContextOptions[] = [];
  readonly warnings: string[] = [];
  readonly logger: Logger = {
    ...silentLogger,
    warn: (message, fields) => void this.warnings.push(`${message}: ${fields?.['reason']}`),
  };
  setSecureContext(options: SecureContextOptions): void {
    this.given.push(options);
  }
}

describe('the certificate of a server', () => {
  it('is read again, and given on only when it is another', () => {
    const server = new Contexts();
    const certificate = new ServerCertificate(serverTlsSchema.parse(files()), server.logger);
    certificate.reload(server);
    expect(server.given).toEqual([]);
    const second = selfSigned('two.example');
    write(second);
    certificate.reload(server);
    certificate.reload(server);
    expect(server.given).toMatchObject([{ cert: second.cert, key: second.key, minVersion: 'TLSv1.2' }]);
  });

  it('stays when the new one cannot be used, which is said once and again when it is another fault', () => {
    const server = new Contexts();
    const certificate = new ServerCertificate(serverTlsSchema.parse(files()), server.logger);
    writeFileSync(file('key.pem'), selfSigned('other.example').key);
    certificate.reload(server);
    certificate.reload(server);
    expect(server.warnings).toEqual([expect.stringMatching(/cannot be used; the one before stays: .*key/)]);
    rmSync(file('cert.pem'));
    certificate.reload(server);
    expect(server.warnings[1]).toMatch(/cert\.pem does not exist \(tls\.cert_file\)/);
    expect(server.given).toEqual([]);
    write(selfSigned('two.example'));
    certificate.reload(server);
    expect(server.given).toHaveLength(1);
  });

  it('stays while whatever renews the files has emptied them, or written them in part', () => {
    const server = new Contexts();
    const authority = selfSigned('authority.example').cert;
    writeFileSync(file('ca.pem'), authority);
    const tls = serverTlsSchema.parse({ ...files(), client_ca_file: file('ca.pem') });
    const certificate = new ServerCertificate(tls, server.logger);
    const whole = selfSigned('two.example');
    const states = [
      ['ca.pem', ''],
      ['ca.pem', authority.slice(0, 300)],
      ['ca.pem', authority],
      ['key.pem', ''],
      ['cert.pem', ''],
      ['cert.pem', whole.cert.slice(0, 300)],
      ['cert.pem', whole.cert + authority.slice(0, 300)],
    ] as const;
    for (const [name, text] of states) {
      writeFileSync(file(name), text);
      certificate.reload(server);
    }
    expect(server.given).toEqual([]);
    expect(server.warnings.join()).toMatch(/ca\.pem holds no certificate|ca\.pem is empty/);
    expect(server.warnings.join()).toMatch(/ca\.pem holds a certificate that is cut off/);
    write(whole);
    certificate.reload(server);
    expect(server.given).toMatchObject([{ cert: whole.cert, ca: authority }]);
  });

  it('that cannot be used keeps the agent from starting, and the error names the key', () => {
    const missing = serverTlsSchema.parse({ ...files(), key_file: file('none') });
    expect(() => new ServerCertificate(missing, silentLogger)).toThrow(
      /none does not exist \(tls\.key_file\)/,
    );
    writeFileSync(file('key.pem'), 'no key');
    expect(() => new ServerCertificate(serverTlsSchema.parse(files()), silentLogger)).toThrow(
      expect.objectContaining({ code: 'HF_RECEIVER_TLS' }),
    );
  });
});
