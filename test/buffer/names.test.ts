// Names that become paths: nothing passes that could leave the directory or meet a file of the log's own.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidName } from '../../buffer/errors.ts';
import {
  checkGroupName,
  checkStreamName,
  indexBase,
  indexName,
  isStreamName,
  segmentBase,
  segmentName,
} from '../../buffer/names.ts';

describe('stream names', () => {
  it.each(['traces', 'traces.otlp', 'logs.syslog-5424', '0', 'a_b', `${'a'.repeat(64)}.b`])(
    'allow %s',
    (name) => {
      expect(() => checkStreamName(name)).not.toThrow();
    },
  );

  it.each([
    '',
    '.',
    '..',
    'a.',
    '.a',
    'a..b',
    'A',
    'a/b',
    'a\\b',
    'a b',
    '-a',
    '_a',
    'é',
    'a\0',
    'a'.repeat(65),
    `${'a.'.repeat(100)}a`,
  ])('refuse %j', (name) => {
    expect(() => checkStreamName(name)).toThrow(InvalidName);
  });

  it.each(['lock', 'lock-journal', 'owner', 'owner.new'])('refuse %s, which is a file of the log', (name) => {
    expect(() => checkStreamName(name)).toThrow(InvalidName);
  });

  it('never hold what a path is made of', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        if (isStreamName(name)) expect(name).toMatch(/^[a-z0-9._-]+$/);
        if (isStreamName(name)) expect(name).not.toContain('..');
      }),
    );
  });
});

describe('group names', () => {
  it('are printable ASCII without spaces, 120 at most', () => {
    for (const name of ['otlp_http/cloud', 'x', '!', '~'.repeat(120)]) {
      expect(() => checkGroupName(name)).not.toThrow();
    }
    for (const name of ['', ' ', 'a b', 'é', 'a\n', 'x'.repeat(121)]) {
      expect(() => checkGroupName(name)).toThrow(InvalidName);
    }
  });
});

describe('segment names', () => {
  it('say the base offset and sort by it', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        expect(segmentBase(segmentName(a))).toBe(a);
        expect(segmentName(a) < segmentName(b)).toBe(a < b);
      }),
    );
  });

  it('are told from every other file', () => {
    for (const name of ['ledger', '1.log', indexName(1), `${segmentName(1)}.new`, `x${segmentName(1)}`]) {
      expect(segmentBase(name)).toBeUndefined();
    }
    expect(segmentBase('99999999999999999999.log')).toBeUndefined();
    expect(indexBase(indexName(17))).toBe(17);
    expect(indexBase(segmentName(17))).toBeUndefined();
  });
});
