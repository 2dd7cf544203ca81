import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatId, parseId } from '../../config/id.ts';

describe('parseId', () => {
  it.each([
    ['otlp', { type: 'otlp', name: undefined }],
    ['otlp_http/cloud', { type: 'otlp_http', name: 'cloud' }],
    ['file/a/b', { type: 'file', name: 'a/b' }],
    ['traces/2', { type: 'traces', name: '2' }],
    ['otlp/größe', { type: 'otlp', name: 'größe' }],
  ])('reads %s', (text, id) => {
    expect(parseId(text)).toEqual({ ok: true, value: id });
    expect(formatId(id)).toBe(text);
  });

  it.each([
    ['', /type is missing/],
    ['/x', /type is missing/],
    ['otlp/', /name after/],
    ['1otlp', /begins with a letter/],
    ['otlp-http', /letters, digits/],
    ['otlp /x', /letters, digits/],
    ['otlp/a b', /white space/],
    ['otlp/a\n', /white space/],
    [`otlp/${'a'.repeat(1025)}`, /name has/],
    [`${'a'.repeat(64)}`, /type begins/],
  ])('refuses %j', (text, reason) => {
    expect(parseId(text)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  it('writes back whatever it takes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const id = parseId(text);
        if (id.ok) expect(formatId(id.value)).toBe(text);
      }),
    );
  });
});
