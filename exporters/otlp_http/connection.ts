// The connections to one destination: kept alive, pooled, with TLS as configured and proxies from the environment.
// Invariant: connections under TLS files that were replaced take no further requests, and end when those under way have.

import type { Agent, buildConnector, Dispatcher } from 'undici';
import PlainAgent from 'undici/lib/dispatcher/agent.js';
import type { FreshTls, TlsOptions } from '../otlp/client_tls.ts';
import type { OtlpHttpConfig } from './config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export class HttpConnections {
  readonly #tls: FreshTls;
  readonly #open: (tls: TlsOptions) => Dispatcher;
  readonly #closing = new Set<Dispatcher>();
  #used: TlsOptions;
  #current: Dispatcher;

  private constructor(tls: FreshTls, open: (tls: TlsOptions) => Dispatcher) {
    this.#tls = tls;
    this.#open = open;
    this.#used = tls.now();
    this.#current = open(this.#used);
  }

  static async open(
    config: OtlpHttpConfig,
    tls: FreshTls,
    environment: Environment,
  ): Promise<HttpConnections> {
    const newDispatcher = await loadDispatcher(hasProxy(environment));
    return new HttpConnections(tls, (material) => {
      const connect = { ...material, timeout: config.timeout };
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
      return newDispatcher(options);
    });
  }

  /** For a request that leaves now. */
  dispatcher(): Dispatcher {
    const material = this.#tls.now();
    if (material !== this.#used) {
      this.#used = material;
      const old = this.#current;
      this.#current = this.#open(material);
      this.#closing.add(old);
      // What cannot be closed is destroyed with the others.
      old.close().then(
        () => this.#closing.delete(old),
        () => {},
      );
    }
    return this.#current;
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#closing, this.#current].map((each) => each.destroy()));
  }
}

type NewDispatcher = (
  options: Omit<Agent.Options, 'connect'> & { readonly connect: buildConnector.BuildOptions },
) => Dispatcher;

/**
 * The part of undici that sends: its front door also loads fetch, WebSocket, caches and mocks, and they Node's own fetch
 * client, 5 MB and 38 ms of CPU at every start.
 */
async function loadDispatcher(proxied: boolean): Promise<NewDispatcher> {
  if (proxied) {
    // Its CONNECT needs what only the front door sets up.
    const { EnvHttpProxyAgent } = await import('undici');
    return (options) => new EnvHttpProxyAgent({ ...options, requestTls: options.connect });
  }
  return (options) => new PlainAgent(options);
}

function hasProxy(environment: Environment): boolean {
  return ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy'].some((name) => environment[name]);
}
