// config/endpoint.ts: where to listen, and where to connect.

import { type Address, formatAddress, parseAddress, parseHttpUrl } from '../../../config/endpoint.ts';
import type { Parser } from '../parser.ts';
import { checkValue } from './value.ts';

const texts = (...all: readonly string[]): Buffer[] => all.map((text) => Buffer.from(text));

export const addressParser: Parser = {
  name: 'address',
  promise: 'a host and a port or a socket path; what is printed parses back',
  seeds: texts(
    '127.0.0.1:4318',
    '[::1]:4317',
    ':8888',
    'unix:/run/a.sock',
    'unix:///run/a.sock',
    'localhost:0',
    '[fe80::1%eth0]:1',
  ),
  words: [
    'unix:',
    'unix://',
    '/',
    ':',
    '[',
    ']',
    '::',
    '%',
    '65536',
    '00080',
    '\0',
    '@',
    ' ',
    '..',
    'http://',
    'é',
  ],
  inputMax_bytes: 400,
  check(input) {
    return checkValue(
      input,
      parseAddress,
      formatAddress,
      isAddress,
      (a, b) => JSON.stringify(a) === JSON.stringify(b),
    );
  },
};

function isAddress(address: Address): boolean {
  if (address.kind === 'unix') return address.path !== '' && !address.path.includes('\0');
  return address.port >= 0 && address.port <= 65_535 && !/[\s/@\0[\]]/.test(address.host);
}

export const urlParser: Parser = {
  name: 'url',
  promise: 'an http or https URL without credentials; parsing it again changes nothing',
  seeds: texts(
    'http://localhost:4318',
    'https://api.example.com/otlp/',
    'https://[::1]:1/x?y=z',
    'HTTP://A.example//',
  ),
  words: [
    'http://',
    'https://',
    'user:pw@',
    '#',
    '?',
    '//',
    '\\',
    '\t',
    '\n',
    '\u00ad',
    '%00',
    '[',
    ']',
    '@',
    ':99999',
    'xn--',
    '。',
  ],
  inputMax_bytes: 9_000,
  check: (input) => checkValue(input, parseHttpUrl, (url) => url, isPlainUrl, Object.is),
};

function isPlainUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    url.hash === ''
  );
}
