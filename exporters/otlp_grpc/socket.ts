// The socket under a gRPC connection: TCP or unix, through a proxy where the environment names one, and with TLS where it is
// wanted. Invariant: what does not come about before `late` aborts leaves no open socket behind.

import { once } from 'node:events';
import type http from 'node:http';
import { request as httpRequest } from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import type { Address, TcpAddress } from '../../config/endpoint.ts';
import { HoldfastError } from '../../config/error.ts';
import type { TlsOptions } from '../otlp/client_tls.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** @param material undefined: plain. */
export async function openSocket(
  address: Address,
  material: TlsOptions | undefined,
  environment: Environment,
  late: AbortSignal,
): Promise<net.Socket> {
  const plain = await openPlain(address, material !== undefined, environment, late);
  if (material === undefined) return plain;
  const host = address.kind === 'tcp' ? address.host : 'localhost';
  // A name is asked for by SNI; an address cannot be (RFC 6066, 3).
  const servername = material.servername ?? (net.isIP(host) === 0 ? host : '');
  const secure = tls.connect({ ...material, socket: plain, host, servername, ALPNProtocols: ['h2'] });
  await established(secure, 'secureConnect', late);
  if (secure.alpnProtocol === 'h2') return secure;
  secure.destroy();
  throw new HoldfastError('HF_EXPORT_NO_HTTP2', 'the destination does not speak HTTP/2 over TLS', true);
}

async function openPlain(
  address: Address,
  secure: boolean,
  environment: Environment,
  late: AbortSignal,
): Promise<net.Socket> {
  if (address.kind === 'unix') return established(net.connect(address.path), 'connect', late);
  const proxy = proxyFor(address, secure, environment);
  if (proxy !== undefined) return throughProxy(proxy, address, late);
  return established(net.connect(address.port, address.host), 'connect', late);
}

async function established<S extends net.Socket>(socket: S, event: string, late: AbortSignal): Promise<S> {
  try {
    await once(socket, event, { signal: late });
    return socket;
  } catch (error) {
    socket.on('error', () => {});
    socket.destroy();
    throw late.aborted ? late.reason : error;
  }
}

/** The proxy that the environment names for this host: HTTPS_PROXY for TLS, HTTP_PROXY for plain, but for NO_PROXY. */
function proxyFor(address: TcpAddress, secure: boolean, environment: Environment): URL | undefined {
  const names = secure ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
  const proxy = names.map((name) => environment[name]).find((value) => value);
  if (!proxy || isExcluded(address, environment['no_proxy'] || environment['NO_PROXY'] || ''))
    return undefined;
  return new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
}

/** `host`, `.domain` or `*.domain`, each with `:port` or without; `*` is everything. */
function isExcluded({ host, port }: TcpAddress, noProxy: string): boolean {
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = '', only] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase())!;
      if (only !== undefined && Number(only) !== port) return false;
      const suffix = name.replace(/^\*?\.?/, '');
      return host.toLowerCase() === suffix || host.toLowerCase().endsWith(`.${suffix}`);
    });
}

/** RFC 9110, 9.3.6: CONNECT. */
async function throughProxy(proxy: URL, { host, port }: TcpAddress, late: AbortSignal): Promise<net.Socket> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const request = httpRequest({
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port || 80,
    method: 'CONNECT',
    path: authority,
    agent: false,
    signal: late,
    headers: {
      host: authority,
      ...(credentials === ':'
        ? {}
        : { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }),
    },
  });
  request.end();
  const [response, socket] = (await once(request, 'connect')) as [http.IncomingMessage, net.Socket];
  if (response.statusCode === 200) return socket;
  socket.destroy();
  throw new HoldfastError(
    'HF_EXPORT_PROXY',
    `the proxy answered CONNECT with HTTP ${response.statusCode}`,
    true,
  );
}
