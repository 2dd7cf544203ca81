import { expect, test } from '@jest/globals';
import { severityOf } from '../../../receivers/http/severity.ts';

test.each([
  ['info', 'otlp', 9],
  ['WARNING', 'otlp', 13],
  ['Error3', 'otlp', 19],
  ['chatty', 'otlp', 0],
  ['17', 'otlp', 17],
  ['25', 'otlp', 0],
  ['10', 'pino', 1],
  ['30', 'pino', 9],
  ['35', 'pino', 11],
  ['60', 'pino', 21],
  ['5', 'pino', 0],
  ['70', 'pino', 0],
  ['0', 'syslog', 21],
  ['7', 'syslog', 5],
  ['8', 'syslog', 0],
] as const)('%s by %s is %i', (text, numbers, severity) => {
  expect(severityOf(text, numbers)).toBe(severity);
});
