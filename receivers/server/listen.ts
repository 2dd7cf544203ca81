// Puts a server on its address, and says what is wrong when it cannot be there.
// Invariant: the error names the address, the key that sets it, and what to do.

import type { AddressInfo, ListenOptions, Server } from 'node:net';
import { createServer } from 'node:net';
import { type Address, formatAddress, type TcpAddress } from '../../config/endpoint.ts';
import { HoldfastError } from '../../config/error.ts';
import type { Logger } from '../../config/logger.ts';
import type { PortSharing } from '../sharing.ts';
import { removeStaleSocket, withSocketMode } from './socket_file.ts';

const advice: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'something listens there already: stop it, or choose another port'],
  [
    'EACCES',
    'this user may not listen there: ports below 1024 need CAP_NET_BIND_SERVICE, or choose a higher one',
  ],
  ['EADDRNOTAVAIL', 'no interface of this machine has that address'],
  ['ENOENT', 'the folder of the socket does not exist'],
  ['ENOTFOUND', 'that host name has no address'],
  ['ENOTSUP', 'this system cannot share a port among threads: set service.workers to 1'],
  ['EAFNOSUPPORT', 'this machine has no such address family: IPv6 may be switched off'],
]);

export interface Place {
  /** Id of the receiver. */
  readonly id: string;
  /** `grpc`, `http`: what the log calls it. */
  readonly protocol: string;
  /** Where the receiver's configuration says the endpoint, such as `protocols.grpc.endpoint`. */
  readonly key: string;
  readonly endpoint: Address;
  /** Permissions of a unix socket, in octal digits. */
  readonly socketMode: string;
  /** Where other threads listen there too. */
  readonly sharing?: PortSharing | undefined;
}

/** @returns the address with the port that it really has. @throws HoldfastError HF_RECEIVER_BIND */
export async function listen(server: Server, place: Place, logger: Logger): Promise<string> {
  const { endpoint, sharing, socketMode } = place;
  if (endpoint.kind === 'unix') await removeStaleSocket(endpoint.path);
  else if (sharing?.isAlone) await checkFree(place, endpoint);
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => reject(bindError(place, error));
    server.once('error', onError);
    server.once('listening', () => {
      server.off('error', onError);
      server.on('error', (error) =>
        logger.error('server', { protocol: place.protocol, error: error.message }),
      );
      if (endpoint.kind === 'unix') return resolve(formatAddress(endpoint));
      const { address, port } = server.address() as AddressInfo;
      resolve(formatAddress({ kind: 'tcp', host: address, port }));
    });
    if (endpoint.kind === 'unix') {
      withSocketMode(endpoint.path, Number.parseInt(socketMode, 8), () => server.listen(endpoint.path));
    } else server.listen(listenOptions(place, endpoint));
  });
}

function listenOptions({ sharing, protocol }: Place, { host, port }: TcpAddress): ListenOptions {
  return {
    port: port === 0 ? (sharing?.portOf(protocol) ?? 0) : port,
    ...(host === '' ? {} : { host }),
    ...(sharing ? { reusePort: true } : {}),
  };
}

/** A port that is to be shared would be shared with strangers too, who would get a part of the connections: asked for alone first. */
function checkFree(place: Place, { host, port }: TcpAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => reject(bindError(place, error)));
    probe.listen({ port, ...(host === '' ? {} : { host }) }, () => probe.close(() => resolve()));
  });
}

/** For servers of other kinds that could not be put on their address. */
export function bindError(place: Place, cause: Error): HoldfastError {
  const { id, key, endpoint } = place;
  const code = errorCode(cause);
  return new HoldfastError(
    'HF_RECEIVER_BIND',
    `receiver ${id} cannot listen on ${formatAddress(endpoint)} (${code}): ${advice.get(code) ?? cause.message} (${key})`,
    code === 'EADDRINUSE',
    { cause },
  );
}

function errorCode(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
