import { describe, expect, it } from '@jest/globals';
import { syslogReceiverSchema } from '../../../receivers/syslog/config.ts';

const address = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port });

describe('the configuration of the syslog receiver', () => {
  it('opens tcp and udp on this machine alone without a word', () => {
    for (const empty of [{}, null, undefined]) {
      expect(syslogReceiverSchema.parse(empty)).toEqual({
        tcp: {
          listen_address: address(5514),
          max_log_size: 65_536,
          max_connections: 1000,
          idle_timeout: 0,
          add_attributes: false,
        },
        udp: {
          listen_address: address(5514),
          max_log_size: 65_535,
          receive_buffer_size: 8 * 2 ** 20,
          reuse_port: false,
          add_attributes: false,
        },
        protocol: 'auto',
        location: 'UTC',
        flush_interval: 200,
        resource: {},
        attributes: {},
      });
    }
  });

  it('opens what is named, and nothing else', () => {
    expect(syslogReceiverSchema.parse({ udp: null })).toMatchObject({
      udp: { listen_address: address(5514) },
    });
    expect(syslogReceiverSchema.parse({ udp: null })).not.toHaveProperty('tcp');
    const unix = syslogReceiverSchema.parse({ unix: { listen_address: '/run/syslog.sock' } });
    expect(unix).toMatchObject({
      unix: { listen_address: { kind: 'unix', path: '/run/syslog.sock' }, socket_mode: '0600' },
    });
    expect(unix).not.toHaveProperty('tcp');
  });

  it.each([
    ['a socket file for tcp', { tcp: { listen_address: 'unix:/run/syslog.sock' } }],
    ['no path for unix', { unix: {} }],
    ['a zone that does not exist', { location: 'Mars/Olympus' }],
    ['a protocol that does not exist', { protocol: 'rfc9999' }],
    ['two framings', { enable_octet_counting: true, non_transparent_framing_trailer: 'LF' }],
    ['datagrams that cannot be', { udp: { max_log_size: '1MiB' } }],
    ['messages of no size', { tcp: { max_log_size: 100 } }],
    ['an unknown key', { tpc: {} }],
    ['tls without a certificate', { tcp: { tls: {} } }],
    ['something that is no map', 5514],
  ])('refuses %s', (_, config) => expect(syslogReceiverSchema.safeParse(config).success).toBe(false));
});
