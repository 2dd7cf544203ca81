// What a user may say about TLS, with the Collector's keys, as data only: nothing is read or connected here. Below
// TLS 1.2 nothing is offered (OTLP.md, 21).

import * as z from 'zod';
import { deprecated, durationMs, filePath, secret } from './fields.ts';

const version = z.enum(['1.2', '1.3']);

const material = {
  /** Certificates that the peer's is checked against; the system's where unset. */
  ca_file: filePath().optional(),
  ca_pem: z.string().min(1).optional(),
  /** Own certificate and key. */
  cert_file: filePath().optional(),
  cert_pem: z.string().min(1).optional(),
  key_file: filePath().optional(),
  key_pem: secret().optional(),
  min_version: version.default('1.2'),
  max_version: version.optional(),
  /** Files are read again this often; unset: every 10 s. */
  reload_interval: durationMs({ min: 1000 }).optional(),
};

const client = z.strictObject({
  ...material,
  /** No TLS at all. An https URL wins over it. */
  insecure: z.boolean().default(false),
  /** TLS, but whoever answers is believed. */
  insecure_skip_verify: z.boolean().default(false),
  /** The name that the peer's certificate must carry, where it is not the host's. */
  server_name_override: z.string().min(1).optional(),
});

const NO_GUARD = 'it asks no client for a certificate, client_ca_file does';

const server = z.strictObject({
  ...material,
  /** The Collector takes them from servers and asks no client for a certificate: whoever meant that has to hear it. */
  ca_file: deprecated(material.ca_file, NO_GUARD),
  ca_pem: deprecated(material.ca_pem, NO_GUARD),
  /** Clients must show a certificate signed by one of these. */
  client_ca_file: filePath().optional(),
  /** The Collector's key: the file is read again in any case. */
  client_ca_file_reload: z.boolean().optional(),
});

type Material = Pick<
  z.output<typeof server>,
  'ca_file' | 'ca_pem' | 'cert_file' | 'cert_pem' | 'key_file' | 'key_pem' | 'min_version' | 'max_version'
>;

const pairs = [
  ['ca_file', 'ca_pem'],
  ['cert_file', 'cert_pem'],
  ['key_file', 'key_pem'],
] as const;

function checkMaterial(tls: Material, context: z.core.$RefinementCtx): void {
  for (const [file, pem] of pairs) {
    if (tls[file] === undefined || tls[pem] === undefined) continue;
    context.addIssue({ code: 'custom', path: [pem], message: `${file} is set too: one of the two` });
  }
  const hasCertificate = tls.cert_file !== undefined || tls.cert_pem !== undefined;
  const hasKey = tls.key_file !== undefined || tls.key_pem !== undefined;
  if (hasCertificate && !hasKey) {
    context.addIssue({
      code: 'custom',
      path: ['key_file'],
      message: 'a certificate needs its key: key_file or key_pem',
    });
  }
  if (hasKey && !hasCertificate) {
    context.addIssue({
      code: 'custom',
      path: ['cert_file'],
      message: 'a key needs its certificate: cert_file or cert_pem',
    });
  }
  if (tls.max_version === '1.2' && tls.min_version === '1.3') {
    context.addIssue({ code: 'custom', path: ['max_version'], message: 'below min_version' });
  }
}

export const clientTlsSchema = client.superRefine(checkMaterial);

export const serverTlsSchema = server.superRefine((tls, context) => {
  checkMaterial(tls, context);
  if (
    tls.cert_file === undefined &&
    tls.cert_pem === undefined &&
    tls.key_file === undefined &&
    tls.key_pem === undefined
  ) {
    context.addIssue({
      code: 'custom',
      path: ['cert_file'],
      message: 'a server needs a certificate: cert_file or cert_pem',
    });
  }
});

export type ClientTls = Readonly<z.output<typeof clientTlsSchema>>;
export type ServerTls = Readonly<z.output<typeof serverTlsSchema>>;
