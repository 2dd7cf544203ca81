// A server's certificate and the authorities that it asks clients for, read again while the agent runs: certificates expire,
// and whatever renews them replaces the files. Invariant: a server never stands without a certificate that worked; files
// that cannot be used are said once and change nothing.

import type { SecureContextOptions, Server, TlsOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { checkCertificates } from '../config/certificates.ts';
import { HoldfastError } from '../config/error.ts';
import type { Logger } from '../config/logger.ts';
import { readTextFile } from '../config/text_file.ts';
import type { ServerTls } from '../config/tls.ts';

/** How often files are read where nothing is said: they are small, and no notice of the file system survives a mount. */
const RELOAD_MS = 10_000;
/** From the connection to the end of the TLS handshake. */
const HANDSHAKE_MS = 10_000;

export class ServerCertificate {
  readonly #tls: ServerTls;
  readonly #logger: Logger;
  #current: SecureContextOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Said already of the files as they are. */
  #reported: string | undefined;

  /** @throws HoldfastError HF_RECEIVER_TLS naming the file and the key that sets it */
  constructor(tls: ServerTls, logger: Logger) {
    this.#tls = tls;
    this.#logger = logger;
    this.#current = this.#read();
  }

  /** For the constructor of the server. */
  options(): TlsOptions {
    const mutual = this.#tls.client_ca_file !== undefined;
    return {
      ...this.#current,
      handshakeTimeout: HANDSHAKE_MS,
      ...(mutual && { requestCert: true, rejectUnauthorized: true }),
    };
  }

  /** From now on new connections to `server` get what the files hold. */
  follow(server: Pick<Server, 'setSecureContext'>): void {
    const { cert_file, key_file, client_ca_file } = this.#tls;
    if (cert_file === undefined && key_file === undefined && client_ca_file === undefined) return;
    this.#timer = setInterval(() => this.reload(server), this.#tls.reload_interval ?? RELOAD_MS);
    this.#timer.unref();
  }

  unfollow(): void {
    clearInterval(this.#timer);
  }

  reload(server: Pick<Server, 'setSecureContext'>): void {
    try {
      const next = this.#read();
      this.#reported = undefined;
      const { cert, key, ca } = this.#current;
      if (next.cert === cert && next.key === key && next.ca === ca) return;
      server.setSecureContext(next);
      this.#current = next;
      this.#logger.info('the certificate was read again');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason === this.#reported) return;
      this.#reported = reason;
      this.#logger.warn('the new certificate cannot be used; the one before stays', { reason });
    }
  }

  #read(): SecureContextOptions {
    const { cert_pem, cert_file, key_pem, key_file, client_ca_file, min_version, max_version } = this.#tls;
    const options: SecureContextOptions = {
      cert: cert_pem ?? certificatesOf('cert_file', cert_file),
      key: key_pem?.reveal() ?? textOf('key_file', key_file),
      ca: client_ca_file === undefined ? undefined : certificatesOf('client_ca_file', client_ca_file),
      minVersion: `TLSv${min_version}`,
      ...(max_version && { maxVersion: `TLSv${max_version}` }),
    };
    try {
      // A certificate and a key that do not fit are found here and not by the first client.
      createSecureContext(options);
    } catch (cause) {
      // What OpenSSL says names no content.
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw unusable(`the certificate, its key or the client authorities cannot be used: ${reason}`, cause);
    }
    return options;
  }
}

function textOf(key: string, path: string | undefined): string {
  // The schema demands one of file and PEM.
  const text = readTextFile(path ?? '');
  if (!text.ok) throw unusable(`${path} ${text.reason} (tls.${key})`);
  // Whoever replaces a file empties it first; node:tls takes an empty one for none.
  if (text.value === '') throw unusable(`${path} is empty (tls.${key})`);
  return text.value;
}

function certificatesOf(key: string, path: string | undefined): string {
  const checked = checkCertificates(textOf(key, path));
  if (!checked.ok) throw unusable(`${path} ${checked.reason} (tls.${key})`);
  return checked.value;
}

function unusable(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('HF_RECEIVER_TLS', message, false, { cause });
}
