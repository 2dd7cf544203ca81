import { describe, expect, it } from '@jest/globals';
import { httpReceiverSchema } from '../../../receivers/http/config.ts';
import { httpReceiver } from '../../../receivers/http/factory.ts';

describe('the configuration of the HTTP receiver', () => {
  it('listens on this machine alone, at /, without a word', () => {
    const config = httpReceiverSchema.parse(null);
    expect(config.endpoint).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 8088 });
    expect(config.routes.map(({ path }) => path)).toEqual(['/']);
  });

  it('reads places with dots and as lists', () => {
    const { routes } = httpReceiverSchema.parse({ routes: [{ body: 'a.b', trace_id: ['x.y', 'z'] }] });
    expect([routes[0]!.body, routes[0]!.trace_id]).toEqual([
      ['a', 'b'],
      ['x.y', 'z'],
    ]);
  });

  it('takes a bare path for a unix socket', () => {
    const { endpoint } = httpReceiverSchema.parse({ transport: 'unix', endpoint: '/run/http.sock' });
    expect(endpoint).toEqual({ kind: 'unix', path: '/run/http.sock' });
  });

  it.each([
    [{ routes: [{ path: '/a' }, { path: '/a' }] }, 'routes.1.path'],
    [{ routes: [{ path: '/health' }] }, 'routes.0.path'],
    [{ routes: [] }, 'routes'],
    [{ routes: [{ path: 'a' }] }, 'routes.0.path'],
    [{ routes: [{ signature: { header: 'x', secret: '' } }] }, 'routes.0.signature.secret'],
    [{ routes: [{ required_header: { key: 'a b', value: 'x' } }] }, 'routes.0.required_header.key'],
    [{ routes: [{ timestamp: {} }] }, 'routes.0.timestamp.path'],
  ])('%j is wrong at %s', (input, at) => {
    const { error } = httpReceiverSchema.safeParse(input);
    expect(error?.issues.map((issue) => issue.path.join('.'))).toContain(at);
  });

  it('names every guard with its place', () => {
    const auth = { authenticator: 'bearer' };
    const config = httpReceiverSchema.parse({ auth, routes: [{ path: '/a' }, { path: '/b', auth }] });
    expect(httpReceiver.authenticators!(config)).toEqual([
      { path: ['auth', 'authenticator'], id: 'bearer' },
      { path: ['routes', 1, 'auth', 'authenticator'], id: 'bearer' },
    ]);
  });
});
