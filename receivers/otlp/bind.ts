// What to say when an address cannot be listened on. Invariant: the error names the address, the key that sets it, and
// what to do.

import { type Address, formatAddress } from '../../config/endpoint.ts';
import { HoldfastError } from '../../config/error.ts';

const advice: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'something listens there already: stop it, or choose another port'],
  [
    'EACCES',
    'this user may not listen there: ports below 1024 need CAP_NET_BIND_SERVICE, or choose a higher one',
  ],
  ['EADDRNOTAVAIL', 'no interface of this machine has that address'],
  ['ENOTFOUND', 'that host name has no address'],
  ['EAFNOSUPPORT', 'this machine has no such address family: IPv6 may be switched off'],
]);

/** @param protocol `grpc` or `http`, as under `protocols:` */
export function bindError(id: string, protocol: string, address: Address, cause: unknown): HoldfastError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const code = /\bE[A-Z]{3,}\b/.exec(text)?.[0] ?? '';
  const what = advice.get(code) ?? text;
  return new HoldfastError(
    'HF_RECEIVER_BIND',
    `receiver ${id} cannot listen on ${formatAddress(address)}${code && ` (${code})`}: ${what} (protocols.${protocol}.endpoint)`,
    code === 'EADDRINUSE',
    { cause },
  );
}
