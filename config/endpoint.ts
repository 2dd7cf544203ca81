// Where to listen and where to connect: `host:port`, `[::1]:4318`, `:4318`, `unix:/path`, and http(s) URLs. Text in,
// plain data out; nothing is looked up.

import { type Parsed, parsed, unparsed } from './parsed.ts';

export interface TcpAddress {
  readonly kind: 'tcp';
  /** Without brackets. Empty is every interface (`:4318`), which node:net takes as it is. */
  readonly host: string;
  readonly port: number;
}

export interface UnixAddress {
  readonly kind: 'unix';
  readonly path: string;
}

export type Address = TcpAddress | UnixAddress;

/** sun_path holds 108 bytes on Linux and 104 on macOS, the last of them a NUL. */
const maxUnixPathBytes = 103;
const maxHostLength = 253;
const maxUrlLength = 8192;

const hostName = /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/;
const ipv6 = /^[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?$/;

/** Port 0 asks the system for a free one; it is refused where `mayBeZero` is not set. */
export function parseAddress(text: string, mayBeZero = true): Parsed<Address> {
  if (text.startsWith('unix:')) return parseUnix(text.slice('unix:'.length));
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return unparsed('a URL is not taken here: host and port only');
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) return unparsed(whyNoAddress(text));
  const [, bracketed, plain = '', digits] = match;
  const port = Number(digits);
  if (port > 65_535 || (port === 0 && !mayBeZero)) return unparsed('the port is out of range');
  if (bracketed !== undefined) {
    if (!ipv6.test(bracketed) || !bracketed.includes(':'))
      return unparsed('no IPv6 address between the brackets');
    return parsed({ kind: 'tcp', host: bracketed, port });
  }
  if (plain !== '' && (plain.length > maxHostLength || !hostName.test(plain)))
    return unparsed('not a host name');
  return parsed({ kind: 'tcp', host: plain, port });
}

function parseUnix(rest: string): Parsed<Address> {
  // gRPC writes unix:///path for an absolute path; several slashes in front mean what one does.
  const path = rest.replace(/^\/+/, '/');
  if (path === '') return unparsed('the path after unix: is missing');
  if (path.includes('\0')) return unparsed('a path cannot hold a NUL');
  if (Buffer.byteLength(path) > maxUnixPathBytes) {
    return unparsed(`a socket path may have ${maxUnixPathBytes} bytes at most`);
  }
  return parsed({ kind: 'unix', path });
}

function whyNoAddress(text: string): string {
  if (text === '') return 'empty';
  if (/^[^:]*$/.test(text)) return 'the port is missing';
  if (/^[0-9A-Fa-f:.]+$/.test(text) && text.split(':').length > 2)
    return 'an IPv6 address stands in brackets';
  return 'not host:port';
}

/** Where a gRPC client connects to. */
export interface GrpcTarget {
  readonly address: Address;
  /** What the scheme says of TLS; undefined without a scheme: the `tls` section says it. */
  readonly secure: boolean | undefined;
}

/** `host:port`, `http(s)://host[:port]`, `dns:///host:port` or `unix:///path`: gRPC's names, and the Collector's. */
export function parseGrpcTarget(text: string): Parsed<GrpcTarget> {
  if (/^https?:\/\//i.test(text)) {
    const url = parseHttpUrl(text);
    if (!url.ok) return url;
    const { protocol, hostname, port, pathname, search } = new URL(url.value);
    if (pathname !== '/' || search !== '') return unparsed('gRPC has no path: scheme, host and port only');
    const secure = protocol === 'https:';
    const host = hostname.replace(/^\[|\]$/g, '');
    return parsed({ address: { kind: 'tcp', host, port: Number(port) || (secure ? 443 : 80) }, secure });
  }
  const address = parseAddress(text.replace(/^(?:dns|passthrough):\/\/\//, ''), false);
  if (!address.ok) return address;
  if (address.value.kind === 'tcp' && address.value.host === '') return unparsed('the host is missing');
  return parsed({ address: address.value, secure: undefined });
}

/** The text that parses back to the same address. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** An http or https URL → its text without trailing slashes, so that `/v1/traces` can be put behind it. */
export function parseHttpUrl(text: string): Parsed<string> {
  if (text.length > maxUrlLength) return unparsed('longer than any URL');
  if (!/^https?:\/\//i.test(text)) {
    return unparsed(
      /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? 'the scheme is not http or https' : 'the scheme is missing',
    );
  }
  // The URL class drops control characters in silence; what is sent must be what was written.
  if (/[\s\\\p{Cc}]/u.test(text)) return unparsed('white space, a backslash or a control character in a URL');
  const url = URL.parse(text);
  if (url === null) return unparsed('not a URL');
  if (url.username !== '' || url.password !== '')
    return unparsed('credentials belong into headers or auth, not a URL');
  if (url.hash !== '') return unparsed('a fragment means nothing here');
  return parsed(url.search === '' ? url.href.replace(/\/+$/, '') : url.href);
}
