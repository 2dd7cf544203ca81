import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { dropsIn, kernelDrops } from '../../../receivers/syslog/kernel_drops.ts';

const head =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops';
const row = (address: string, drops: number) =>
  ` 1234: ${address} 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 26215 2 0000000000000000 ${drops}`;

describe('drops of the kernel', () => {
  it('are those of the sockets on the address', () => {
    const table = [head, row('0100007F:158A', 3), row('0100007F:158B', 100), row('00000000:158A', 50)].join(
      '\n',
    );
    expect(dropsIn(table, '127.0.0.1', 5514, 'ipv4')).toBe(3);
    expect(dropsIn(table, '0.0.0.0', 5514, 'ipv4')).toBe(50);
    expect(dropsIn(table, '127.0.0.2', 5514, 'ipv4')).toBeUndefined();
  });

  it('are summed over sockets that share a port', () => {
    const table = [head, row('0100007F:158A', 3), row('0100007F:158A', 4), ''].join('\n');
    expect(dropsIn(table, '127.0.0.1', 5514, 'ipv4')).toBe(7);
  });

  it('are found for IPv6 too', () => {
    const table = [
      head,
      row('00000000000000000000000001000000:158A', 9),
      row(`${'0'.repeat(32)}:158A`, 2),
    ].join('\n');
    expect(dropsIn(table, '::1', 5514, 'ipv6')).toBe(9);
    expect(dropsIn(table, '::', 5514, 'ipv6')).toBe(2);
    expect(dropsIn(table, 'fe80::1%eth0', 5514, 'ipv6')).toBeUndefined();
  });

  it('are none where the table is something else', () => {
    for (const table of ['', head, 'x y z', row('0100:158A', 3), row('ZZZZZZZZ:158A', 1)]) {
      expect(dropsIn(table, '127.0.0.1', 5514, 'ipv4')).toBeUndefined();
    }
  });

  it('are read from the system where it has them', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { address, port } = socket.address();
    expect(await kernelDrops(address, port, 'ipv4')).toBe(process.platform === 'linux' ? 0 : undefined);
    socket.close();
  });
});
