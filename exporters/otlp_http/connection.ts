// The connections to one destination: kept alive, pooled, with TLS as configured and proxies from the environment.
// Files named in the configuration are read here, once, when the exporter starts.

import { readFile } from 'node:fs/promises';
import type { Dispatcher } from 'undici';
import { HoldfastError } from '../../config/error.ts';
import type { ClientTls } from '../../config/tls.ts';
import type { OtlpHttpConfig } from './config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What node:tls takes. */
interface TlsOptions {
  ca?: string;
  cert?: string;
  key?: string;
  rejectUnauthorized: boolean;
  servername?: string;
  minVersion: 'TLSv1.2' | 'TLSv1.3';
  maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** @throws HoldfastError `HF_EXPORT_TLS_FILE` naming the file. */
export async function openDispatcher(config: OtlpHttpConfig, environment: Environment): Promise<Dispatcher> {
  // Loaded here, so that an agent without this exporter does not pay for it.
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  const tls = await tlsOptions(config.tls);
  const connect = { ...tls, timeout: config.timeout };
  const options = {
    keepAliveTimeout: config.idle_conn_timeout,
    keepAliveMaxTimeout: config.idle_conn_timeout,
    connections: config.max_conns_per_host === 0 ? null : config.max_conns_per_host,
    // One request at a time on a connection: an answer that is late delays no other.
    pipelining: 1,
    // Refused where TLS does not offer it: then it is HTTP/1.1.
    allowH2: true,
    connect,
  };
  if (!hasProxy(environment)) return new Agent(options);
  return new EnvHttpProxyAgent({ ...options, requestTls: connect });
}

function hasProxy(environment: Environment): boolean {
  return ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy'].some((name) => environment[name]);
}

async function tlsOptions(tls: ClientTls): Promise<TlsOptions> {
  const [ca, cert, key] = await Promise.all([
    material(tls.ca_file, tls.ca_pem),
    material(tls.cert_file, tls.cert_pem),
    material(tls.key_file, tls.key_pem?.reveal()),
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

async function material(file: string | undefined, pem: string | undefined): Promise<string | undefined> {
  if (file === undefined) return pem;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HoldfastError('HF_EXPORT_TLS_FILE', `cannot read ${file}: ${why}`, false, { cause });
  }
}
