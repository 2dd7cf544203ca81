// A destination's TLS settings as node:tls takes them. Files named in the configuration are read here and nowhere else.

import { readFile } from 'node:fs/promises';
import { checkCertificates } from '../../config/certificates.ts';
import { HoldfastError } from '../../config/error.ts';
import { type Parsed, parsed, unparsed } from '../../config/parsed.ts';
import type { ClientTls } from '../../config/tls.ts';

/** What node:tls takes. */
export interface TlsOptions {
  ca?: string;
  cert?: string;
  key?: string;
  rejectUnauthorized: boolean;
  servername?: string;
  minVersion: 'TLSv1.2' | 'TLSv1.3';
  maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** @throws HoldfastError `HF_EXPORT_TLS_FILE` naming the file. */
export async function tlsOptions(tls: ClientTls): Promise<TlsOptions> {
  const [ca, cert, key] = await Promise.all([
    // An empty list of authorities would be the system's, which is not what was asked for.
    material(tls.ca_file, tls.ca_pem, checkCertificates),
    material(tls.cert_file, tls.cert_pem, checkCertificates),
    material(tls.key_file, tls.key_pem?.reveal(), checkHolds),
  ]);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(tls.server_name_override === undefined ? {} : { servername: tls.server_name_override }),
    minVersion: `TLSv${tls.min_version}`,
    ...(tls.max_version === undefined ? {} : { maxVersion: `TLSv${tls.max_version}` as const }),
  };
}

async function material(
  file: string | undefined,
  pem: string | undefined,
  check: (text: string) => Parsed<string>,
): Promise<string | undefined> {
  if (file === undefined) return pem;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HoldfastError('HF_EXPORT_TLS_FILE', `cannot read ${file}: ${why}`, false, { cause });
  }
  const checked = check(text);
  if (checked.ok) return checked.value;
  throw new HoldfastError('HF_EXPORT_TLS_FILE', `${file} ${checked.reason}`, false);
}

function checkHolds(text: string): Parsed<string> {
  return text === '' ? unparsed('is empty') : parsed(text);
}
