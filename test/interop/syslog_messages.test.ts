import { describe, expect, it } from '@jest/globals';
import { inOrder } from './log_file.ts';
import { Differs } from './peer.ts';
import { compareRecords, newMessages, oldMessages, PRIORITIES } from './syslog_messages.ts';

describe.each([
  ['RFC 5424', newMessages],
  ['RFC 3164', oldMessages],
])('messages of %s', (_, make) => {
  const sent = make('mark', PRIORITIES, true);

  it('are all unlike each other and have each priority once', () => {
    expect(new Set(sent.map(({ bytes }) => bytes.toString('latin1'))).size).toBe(PRIORITIES);
    const priorities = sent.map(({ record }) => record.attributes['priority']);
    expect(new Set(priorities).size).toBe(PRIORITIES);
  });

  it('have lines, bytes that are no UTF-8, and a byte order mark among them', () => {
    const bodies = sent.map(({ record }) => String(record.body));
    expect(bodies.some((body) => body.includes('\n'))).toBe(true);
    expect(bodies.some((body) => body.includes('\u{feff}'))).toBe(true);
    expect(sent.some(({ record }) => record.attributes['syslog.encoding'] !== undefined)).toBe(true);
    expect(make('mark', PRIORITIES, false).some(({ bytes }) => bytes.includes('\n'))).toBe(false);
  });

  it('differ where one field does', () => {
    const { record } = sent[3]!;
    const came = (other: Partial<typeof record>) =>
      new Map([[3, [record, inOrder({ ...record, ...other })]]]);
    expect(() => compareRecords('mark', sent, came({}))).not.toThrow();
    for (const other of [{ time: '1' }, { severityNumber: 1 }, { severity: 'x' }, { body: '' }]) {
      expect(() => compareRecords('mark', sent, came(other))).toThrow(Differs);
    }
    const attributes = { ...record.attributes, message: 'changed' };
    expect(() => compareRecords('mark', sent, came({ attributes }))).toThrow(Differs);
  });
});
