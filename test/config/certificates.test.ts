// What node:tls would pass over in silence is told, whatever was cut off where.

import { describe, expect, it } from '@jest/globals';
import { checkCertificates } from '../../config/certificates.ts';
import { selfSigned } from '../exporters/otlp/self_signed.ts';

const one = selfSigned('one.example').cert;
const two = selfSigned('two.example').cert;

describe('checkCertificates', () => {
  it('takes one and several, with text between them and any line ends', () => {
    for (const pem of [one, one + two, `subject: one\n${one}\n# two\n${two}`, one.replaceAll('\n', '\r\n')]) {
      expect(checkCertificates(pem)).toEqual({ ok: true, value: pem });
    }
  });

  it.each([
    ['nothing', '', /no certificate/],
    ['a line end', '\n', /no certificate/],
    ['a key', selfSigned('other.example').key, /no certificate/],
    ['one that is damaged', one.replace('\nMII', '\nMI'), /cannot be read/],
  ])('refuses %s', (_, pem, reason) => {
    expect(checkCertificates(pem)).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
  });

  it('refuses what is cut off anywhere within a certificate', () => {
    const text = `${one.trim()}\n${two.trim()}`;
    const ends = new Set([text.length, one.trim().length, one.trim().length + 1]);
    for (let end = 0; end < text.length; end += 7) {
      const beginsNone =
        end > one.trim().length && !text.slice(one.trim().length, end).includes('CERTIFICATE-----');
      if (ends.has(end) || beginsNone) continue;
      expect(checkCertificates(text.slice(0, end)).ok).toBe(false);
    }
  });
});
