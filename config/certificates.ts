// Certificates as PEM text (RFC 7468), looked at before node:tls gets them: that one passes over what it cannot read, and
// takes an empty list of authorities for no list, which lets in whoever any public authority vouches for.
// Invariant: what is accepted holds a certificate, and none that is cut off.

import { X509Certificate } from 'node:crypto';
import { type Parsed, parsed, unparsed } from './parsed.ts';

const BEGIN = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const WHOLE = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]*-----END \1-----/g;

/** Whether node:tls would use all of it. The value is the text as it was. */
export function checkCertificates(pem: string): Parsed<string> {
  const whole = pem.match(WHOLE) ?? [];
  const begun = pem.match(BEGIN) ?? [];
  if (begun.length === 0) return unparsed('holds no certificate');
  if (begun.length > whole.length) return unparsed('holds a certificate that is cut off');
  try {
    // OpenSSL's own TRUSTED form is read by node:tls alone.
    for (const one of whole) if (!one.includes('TRUSTED')) new X509Certificate(one);
  } catch {
    return unparsed('holds a certificate that cannot be read');
  }
  return parsed(pem);
}
