import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatAddress, parseAddress, parseHttpUrl } from '../../config/endpoint.ts';

const tcp = (host: string, port: number) => ({ ok: true, value: { kind: 'tcp', host, port } });
const unix = (path: string) => ({ ok: true, value: { kind: 'unix', path } });

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1:4318', tcp('127.0.0.1', 4318)],
    ['localhost:0', tcp('localhost', 0)],
    ['[::1]:4318', tcp('::1', 4318)],
    ['[fe80::1%eth0]:1', tcp('fe80::1%eth0', 1)],
    [':4318', tcp('', 4318)],
    ['collector.svc.cluster.local:65535', tcp('collector.svc.cluster.local', 65_535)],
    ['my_host:1', tcp('my_host', 1)],
    ['unix:/run/x.sock', unix('/run/x.sock')],
    ['unix:///run/x.sock', unix('/run/x.sock')],
    ['unix:x.sock', unix('x.sock')],
  ])('reads %s', (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
  });

  it.each([
    ['', /empty/],
    ['localhost', /port is missing/],
    ['4318', /port is missing/],
    ['::1:4318', /brackets/],
    ['[::1]', /not host:port/],
    ['[localhost]:1', /IPv6/],
    ['[1]:1', /IPv6/],
    ['host:65536', /out of range/],
    ['host:-1', /not host:port/],
    ['host:1x', /not host:port/],
    ['ho st:1', /host name/],
    ['-host:1', /host name/],
    [`${'a'.repeat(254)}:1`, /host name/],
    ['http://host:1', /URL/],
    ['unix:', /missing/],
    ['unix:/a\0b', /NUL/],
    [`unix:/${'ü'.repeat(60)}`, /103 bytes/],
  ])('refuses %j', (text, reason) => {
    expect(parseAddress(text)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  it('takes port 0 only where a free port can be asked for', () => {
    expect(parseAddress('h:0', false)).toEqual({ ok: false, reason: expect.stringMatching(/out of range/) });
  });

  it('gives an answer to any text, and what it takes is written so that it parses back', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^(unix:|\[)?[a-f0-9.:]{0,12}\]?:?\d{0,6}$/)),
        (text) => {
          const result = parseAddress(text);
          if (result.ok) expect(parseAddress(formatAddress(result.value))).toEqual(result);
          else expect(result.reason).not.toBe('');
        },
      ),
    );
  });
});

describe('parseHttpUrl', () => {
  it.each([
    ['https://host:4318', 'https://host:4318'],
    ['http://host/', 'http://host'],
    ['https://host/otlp//', 'https://host/otlp'],
    ['http://[::1]:4318/a', 'http://[::1]:4318/a'],
    ['https://host/in?key=a', 'https://host/in?key=a'],
    ['HTTPS://Host/A', 'https://host/A'],
  ])('reads %s as %s', (text, url) => {
    expect(parseHttpUrl(text)).toEqual({ ok: true, value: url });
  });

  it.each([
    ['host:4318', /scheme is missing/],
    ['ftp://host', /not http or https/],
    ['grpc://host', /not http or https/],
    ['https://user:pass@host', /credentials/],
    ['https://token@host', /credentials/],
    ['https://', /not a URL/],
    ['https://ho st', /white space/],
    ['https://host\n/', /white space/],
    ['https:\\\\host', /scheme is missing/],
    ['https://host/#a', /fragment/],
    ['https://host:99999', /not a URL/],
    [`https://h/${'a'.repeat(9000)}`, /longer/],
  ])('refuses %j', (text, reason) => {
    expect(parseHttpUrl(text)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });
});
