// The connections to one destination: kept alive, pooled, with TLS as configured and proxies from the environment.
// Invariant: TLS files are read once, when the exporter starts.

import type { Dispatcher } from 'undici';
import { tlsOptions } from '../otlp/client_tls.ts';
import type { OtlpHttpConfig } from './config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

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
