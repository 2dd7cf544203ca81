import { describe, expect, it } from '@jest/globals';
import { otlpReceiverSchema } from '../../../receivers/otlp/config.ts';

const on = (config: unknown) => Object.keys(otlpReceiverSchema.parse(config).protocols).sort();

describe('the configuration of the OTLP receiver', () => {
  it.each([
    ['nothing', null],
    ['an empty map', {}],
    ['protocols without a value', { protocols: null }],
    ['empty protocols', { protocols: {} }],
    ['both without values', { protocols: { grpc: null, http: null } }],
  ])('switches both protocols on for %s', (_what, config) => {
    expect(on(config)).toEqual(['grpc', 'http']);
    expect(otlpReceiverSchema.parse(config)).toEqual(otlpReceiverSchema.parse({}));
  });

  it('switches on only what is named', () => {
    expect(on({ protocols: { http: null } })).toEqual(['http']);
    expect(on({ protocols: { grpc: { endpoint: '0.0.0.0:4317' } } })).toEqual(['grpc']);
  });

  it('has the defaults that its README states', () => {
    expect(otlpReceiverSchema.parse({}).protocols).toEqual({
      grpc: {
        endpoint: { kind: 'tcp', host: '127.0.0.1', port: 4317 },
        max_recv_msg_size_mib: 64,
        max_concurrent_streams: 100,
        max_connections: 1000,
        socket_mode: '0600',
        read_timeout: 60_000,
        keepalive: {
          server_parameters: {
            max_connection_idle: 0,
            max_connection_age: 0,
            max_connection_age_grace: 0,
            time: 120_000,
            timeout: 20_000,
          },
          enforcement_policy: { min_time: 300_000, permit_without_stream: false },
        },
      },
      http: {
        endpoint: { kind: 'tcp', host: '127.0.0.1', port: 4318 },
        max_request_body_size: 64 * 2 ** 20,
        traces_url_path: '/v1/traces',
        metrics_url_path: '/v1/metrics',
        logs_url_path: '/v1/logs',
        read_header_timeout: 10_000,
        read_timeout: 60_000,
        idle_timeout: 65_000,
        max_connections: 1000,
        socket_mode: '0600',
      },
    });
  });

  it.each([
    ['an unknown key', { protocol: {} }],
    ['an unknown protocol', { protocols: { https: {} } }],
    ['an unknown setting', { protocols: { http: { endpoints: 'a:1' } } }],
    ['an endpoint without port', { protocols: { http: { endpoint: 'localhost' } } }],
    ['a relative path', { protocols: { http: { traces_url_path: 'v1/traces' } } }],
    ['a path with a query', { protocols: { http: { traces_url_path: '/v1/traces?x' } } }],
    ['no room at all', { protocols: { http: { max_request_body_size: 0 } } }],
    ['a message size of half a MiB', { protocols: { grpc: { max_recv_msg_size_mib: 0.5 } } }],
    ['two signals on one path', { protocols: { http: { logs_url_path: '/v1/traces' } } }],
    ['one port for both', { protocols: { http: { endpoint: 'a:1' }, grpc: { endpoint: 'a:1' } } }],
  ])('refuses %s', (_what, config) => {
    expect(otlpReceiverSchema.safeParse(config).success).toBe(false);
  });

  it('allows port 0 for both', () => {
    const free = { endpoint: '127.0.0.1:0' };
    expect(otlpReceiverSchema.safeParse({ protocols: { http: free, grpc: free } }).success).toBe(true);
  });
});
