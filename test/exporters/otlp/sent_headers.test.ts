import { expect, it } from '@jest/globals';
import { Secret } from '../../../config/secret.ts';
import { SentHeaders } from '../../../exporters/otlp/sent_headers.ts';

const secrets = (values: Record<string, string>): Record<string, Secret> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));

it('puts headers together once, and anew only when credentials have changed', () => {
  let shown = secrets({ authorization: 'Bearer one' });
  let formed = 0;
  const sent = new SentHeaders(secrets({ 'X-More': 'yes' }), { headers: () => shown }, (own) => {
    formed += 1;
    return own;
  });
  const first = sent.now();
  expect(sent.now()).toBe(first);
  expect(first.headers).toEqual({ 'x-more': 'yes', authorization: 'Bearer one' });
  shown = secrets({ authorization: 'Bearer two' });
  expect(sent.now().headers).toEqual({ 'x-more': 'yes', authorization: 'Bearer two' });
  expect(formed).toBe(2);
});

it('lets credentials win over a configured header, whatever its case', () => {
  const headers = () => secrets({ authorization: 'Bearer one' });
  const sent = new SentHeaders(secrets({ AUTHORIZATION: 'nobody' }), { headers }, (own) => own);
  expect(sent.now().headers).toEqual({ authorization: 'Bearer one' });
});

it('takes what is sent now out of what a backend says', () => {
  let shown = secrets({ authorization: 'Bearer first-one' });
  const own = { headers: () => shown };
  const sent = new SentHeaders(secrets({ 'x-key': 'configured' }), own, (all) => all);
  expect(sent.now().clean('no: Bearer first-one, configured')).toBe('no: [redacted], [redacted]');
  shown = secrets({ authorization: 'Bearer second-one' });
  expect(sent.now().clean('no: Bearer second-one')).toBe('no: [redacted]');
});

it('is what was configured where there are no credentials', () => {
  expect(new SentHeaders(secrets({ A: 'b' }), undefined, (own) => own).now().headers).toEqual({ a: 'b' });
});
