// A destination's TLS settings as node:tls takes them, read again while the exporter runs: certificates expire, and whatever
// renews them replaces the files. Invariant: files that cannot be used are said once, and what worked before stays.

import { checkCertificates } from '../../config/certificates.ts';
import { HoldfastError } from '../../config/error.ts';
import type { Logger } from '../../config/logger.ts';
import { type Parsed, parsed, unparsed } from '../../config/parsed.ts';
import { readTextFile } from '../../config/text_file.ts';
import type { ClientTls } from '../../config/tls.ts';

/** How often files are read where nothing is said, as for servers. */
const RELOAD_MS = 10_000;

/** What node:tls takes. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: boolean;
  readonly servername?: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

export class FreshTls {
  readonly #tls: ClientTls;
  readonly #logger: Logger;
  readonly #now_ms: () => number;
  readonly #hasFiles: boolean;
  readonly #reload_ms: number;
  #options: TlsOptions;
  #read_ms: number;
  /** Said already of the files as they are. */
  #reported: string | undefined;

  /**
   * @param now_ms a clock that never goes back.
   * @throws HoldfastError `HF_EXPORT_TLS_FILE` naming the file, `HF_EXPORT_TLS` for what node:tls does not take.
   */
  constructor(tls: ClientTls, logger: Logger, now_ms: () => number = () => performance.now()) {
    this.#tls = tls;
    this.#logger = logger;
    this.#now_ms = now_ms;
    this.#hasFiles = [tls.ca_file, tls.cert_file, tls.key_file].some((file) => file !== undefined);
    this.#reload_ms = tls.reload_interval ?? RELOAD_MS;
    this.#read_ms = now_ms();
    this.#options = tlsOptions(tls);
  }

  /** For connections that are made now; the same object for as long as nothing has changed. */
  now(): TlsOptions {
    const now_ms = this.#now_ms();
    if (this.#hasFiles && now_ms - this.#read_ms >= this.#reload_ms) {
      this.#read_ms = now_ms;
      this.#reload();
    }
    return this.#options;
  }

  #reload(): void {
    try {
      const next = tlsOptions(this.#tls);
      this.#reported = undefined;
      const { ca, cert, key } = this.#options;
      if (next.ca === ca && next.cert === cert && next.key === key) return;
      this.#options = next;
      this.#logger.info('the TLS files were read again: new connections use them');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason === this.#reported) return;
      this.#reported = reason;
      this.#logger.warn('the new TLS files cannot be used; those before stay', { reason });
    }
  }
}

function tlsOptions(tls: ClientTls): TlsOptions {
  // An empty list of authorities would be the system's, which is not what was asked for.
  const ca = material(tls.ca_file, tls.ca_pem, checkCertificates);
  const cert = material(tls.cert_file, tls.cert_pem, checkCertificates);
  const key = material(tls.key_file, tls.key_pem?.reveal(), checkHolds);
  const options: TlsOptions = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(tls.server_name_override === undefined ? {} : { servername: tls.server_name_override }),
    minVersion: `TLSv${tls.min_version}`,
    ...(tls.max_version === undefined ? {} : { maxVersion: `TLSv${tls.max_version}` as const }),
  };
  if (ca !== undefined || cert !== undefined || key !== undefined) check(options);
  return options;
}

/** A certificate and a key that do not fit are found here and not by the first connection. */
function check(options: TlsOptions): void {
  try {
    process.getBuiltinModule('node:tls').createSecureContext(options);
  } catch (cause) {
    // What OpenSSL says names no content.
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `the certificate, its key or the authorities cannot be used: ${reason}`;
    throw new HoldfastError('HF_EXPORT_TLS', message, false, { cause });
  }
}

function material(
  file: string | undefined,
  pem: string | undefined,
  checked: (text: string) => Parsed<string>,
): string | undefined {
  if (file === undefined) return pem;
  const text = readTextFile(file);
  const outcome = text.ok ? checked(text.value) : text;
  if (outcome.ok) return outcome.value;
  throw new HoldfastError('HF_EXPORT_TLS_FILE', `${file} ${outcome.reason} (tls)`, false);
}

function checkHolds(text: string): Parsed<string> {
  return text === '' ? unparsed('is empty') : parsed(text);
}
