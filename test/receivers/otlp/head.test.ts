import { describe, expect, it } from '@jest/globals';
import { answerEncoding, type HeadRules, readHead } from '../../../receivers/otlp/head.ts';

const rules: HeadRules = {
  routes: new Map([
    ['/v1/traces', 'traces'],
    ['/v1/logs', 'logs'],
  ]),
  signals: new Set(['traces']),
  maxBody_bytes: 100,
};
const protobuf = { 'content-type': 'application/x-protobuf' };
const read = (headers: Record<string, string>, url = '/v1/traces', method = 'POST') =>
  readHead(method, url, { ...protobuf, ...headers }, rules);

describe('readHead', () => {
  it('says what the body is', () => {
    expect(read({ 'content-length': '100' })).toEqual({
      signal: 'traces',
      encoding: 'protobuf',
      compression: undefined,
      length: 100,
    });
    expect(read({ 'transfer-encoding': 'chunked', 'content-encoding': 'gzip' })).toEqual({
      signal: 'traces',
      encoding: 'protobuf',
      compression: 'gzip',
      length: undefined,
    });
    expect(read({})).toEqual({ signal: 'traces', encoding: 'protobuf', compression: undefined, length: 0 });
  });

  it.each(['application/json', 'Application/JSON; charset=utf-8', 'application/json ;x=y'])(
    'takes %s for JSON',
    (type) => {
      expect(read({ 'content-type': type }).encoding).toBe('json');
    },
  );

  it('looks at the path alone, without its query', () => {
    expect(read({}, '/v1/traces?api-key=1/v1/logs').signal).toBe('traces');
  });

  it.each([
    ['an unknown path', 404, {}, '/v1/trace', 'POST'],
    ['a path with a slash too many', 404, {}, '/v1/traces/', 'POST'],
    ['a signal without a pipeline', 404, {}, '/v1/logs', 'POST'],
    ['no path', 404, {}, '', 'POST'],
    ['another method', 405, {}, '/v1/traces', 'GET'],
    ['another type', 415, { 'content-type': 'text/html' }, '/v1/traces', 'POST'],
    ['a type that only begins like JSON', 415, { 'content-type': 'application/json5' }, '/v1/traces', 'POST'],
    ['another encoding', 415, { 'content-encoding': 'lz4' }, '/v1/traces', 'POST'],
    ['a length over the limit', 413, { 'content-length': '101' }, '/v1/traces', 'POST'],
    ['a length that is none', 400, { 'content-length': '1e99' }, '/v1/traces', 'POST'],
  ])('refuses %s with %i', (_what, http, headers: Record<string, string>, url, method) => {
    expect(() => read(headers, url, method)).toThrow(expect.objectContaining({ http }));
  });
});

describe('answerEncoding', () => {
  it('is protobuf for protobuf and JSON for all others', () => {
    expect(answerEncoding(protobuf)).toBe('protobuf');
    expect(answerEncoding({ 'content-type': 'application/json' })).toBe('json');
    expect(answerEncoding({ 'content-type': 'text/plain' })).toBe('json');
    expect(answerEncoding({})).toBe('json');
  });
});
