import { expect, it } from '@jest/globals';
import { decodeOwner, encodeOwner } from '../../buffer/owner_record.ts';

const record = { format: 1, epoch: 3, pid: 7, since: '2026-11-21T00:00:00.000Z', running_ms: 12.5 };

it('is read back as it was written, with and without a key', () => {
  expect(decodeOwner(encodeOwner(record))).toEqual(record);
  const keyed = { ...record, key: '0123456789abcdef' };
  expect(decodeOwner(encodeOwner(keyed))).toEqual(keyed);
});

it.each([
  ['no JSON', '{"format":1,'],
  ['nothing', ''],
  ['null', 'null'],
  ['no object', '[1]'],
  ['an epoch that is no number', JSON.stringify({ ...record, epoch: '3' })],
  ['a time that is none', JSON.stringify({ ...record, running_ms: null })],
  ['a deleted stream that leads elsewhere', JSON.stringify({ ...record, deleting: '../other' })],
  ['a key that is none', JSON.stringify({ ...record, key: 'x' })],
])('is refused in words where it is %s', (_, text) => {
  expect(() => decodeOwner(Buffer.from(text))).toThrow(
    expect.objectContaining({ code: 'HF_BUFFER_STATE_INVALID', retryable: false }),
  );
});
