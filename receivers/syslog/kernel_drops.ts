// How many datagrams the kernel threw away because the socket's buffer was full: /proc/net/udp and udp6 of Linux, which count them
// per socket. Invariant: pure but for reading the two files; a system that does not say is `undefined`, never 0.

import { readFile } from 'node:fs/promises';
import { SocketAddress } from 'node:net';

const FILES = { ipv4: '/proc/net/udp', ipv6: '/proc/net/udp6' } as const;

export type Family = keyof typeof FILES;

/** Of all sockets on this address, since each was opened. */
export async function kernelDrops(
  address: string,
  port: number,
  family: Family,
): Promise<number | undefined> {
  let table: string;
  try {
    table = await readFile(FILES[family], 'utf8');
  } catch {
    return undefined;
  }
  return dropsIn(table, address, port, family);
}

/** The sum of the last column of the rows whose local address it is; undefined where there is no such row. */
export function dropsIn(table: string, address: string, port: number, family: Family): number | undefined {
  const wanted = normalized(address, family);
  let sum: number | undefined;
  for (const line of table.split('\n')) {
    const columns = line.trim().split(/\s+/);
    const [host, hexPort] = columns[1]?.split(':') ?? [];
    if (host === undefined || hexPort === undefined || Number.parseInt(hexPort, 16) !== port) continue;
    const drops = Number(columns.at(-1));
    if (addressOf(host, family) !== wanted || !Number.isSafeInteger(drops)) continue;
    sum = (sum ?? 0) + drops;
  }
  return sum;
}

/** The kernel prints each 32 bits as this machine has them in memory: little-endian wherever Node runs. */
function addressOf(hex: string, family: Family): string | undefined {
  if (!/^(?:[0-9A-F]{8}){1,4}$/i.test(hex)) return undefined;
  const words = Buffer.from(hex, 'hex');
  if (words.length !== (family === 'ipv4' ? 4 : 16)) return undefined;
  const bytes = words.swap32();
  if (family === 'ipv4') return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return normalized(groups.join(':'), family);
}

function normalized(address: string, family: Family): string {
  // A zone such as %eth0 is not in the table.
  return new SocketAddress({ address: address.split('%', 1)[0]!, family }).address;
}
