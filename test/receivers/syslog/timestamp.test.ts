import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SyslogMessage } from '../../../receivers/syslog/message.ts';
import { readBsdTime, readIsoTime, type TimeContext } from '../../../receivers/syslog/timestamp.ts';
import { Zone } from '../../../receivers/syslog/zone.ts';

const random = { seed: 3164, numRuns: 500 };
const at = (iso: string) => Date.parse(iso) / 1000;
const context = (now = '2024-01-15T00:00:00Z', zone = 'UTC'): TimeContext => ({
  now_s: at(now),
  zone: new Zone(zone),
});

/** The time as ISO text and what is left behind it; undefined where there is none. */
function read(reader: typeof readIsoTime, text: string, around = context()): [string, string] | undefined {
  const message = new SyslogMessage();
  const bytes = Buffer.from(text);
  const end = reader(bytes, 0, bytes.length, around, message);
  if (end < 0) {
    expect(message.second).toBe(-1);
    return undefined;
  }
  const second = new Date(message.second * 1000).toISOString().slice(0, 19);
  const nanosecond = message.nanosecond === 0 ? '' : `.${String(message.nanosecond).padStart(9, '0')}`;
  return [`${second}${nanosecond}`, text.slice(end)];
}

describe('readIsoTime', () => {
  it('reads what Date writes, in every zone', () => {
    const date = fc.date({ min: new Date('1970-01-02'), max: new Date('2261-12-30'), noInvalidDate: true });
    fc.assert(
      fc.property(date, fc.integer({ min: -14 * 60, max: 14 * 60 }), (each, offset_min) => {
        const sign = offset_min < 0 ? '-' : '+';
        const [hours, minutes] = [Math.floor(Math.abs(offset_min) / 60), Math.abs(offset_min) % 60];
        const two = (value: number) => String(value).padStart(2, '0');
        const local = new Date(each.getTime() + offset_min * 60_000).toISOString().slice(0, -1);
        const [iso] = read(readIsoTime, `${local}${sign}${two(hours)}:${two(minutes)}`) ?? [];
        expect(Date.parse(`${iso?.slice(0, 23)}Z`)).toBe(each.getTime());
      }),
      random,
    );
  });

  it.each([
    ['2003-10-11T22:14:15Z host', '2003-10-11T22:14:15', ' host'],
    ['2003-10-11t22:14:15z', '2003-10-11T22:14:15', ''],
    ['2003-10-11T22:14:15.123456789123Z', '2003-10-11T22:14:15.123456789', ''],
    ['2003-10-11T22:14:15.000003-07:00 x', '2003-10-12T05:14:15.000003000', ' x'],
    ['2003-10-11 22:14:15,5 x', '2003-10-11T22:14:15.500000000', ' x'],
    ['2003-10-11T22:14:15+0130', '2003-10-11T20:44:15', ''],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00', ''],
    ['2003-10-11T22:14:15. x', '2003-10-11T22:14:15', '. x'],
  ])('reads %s', (text, time, rest) => expect(read(readIsoTime, text)).toEqual([time, rest]));

  it.each([
    '2003-10-11T22:14:1',
    '2003-00-11T22:14:15Z',
    '2003-02-29T22:14:15Z',
    '2003-10-11T24:14:15Z',
    '2003-10-11T22:60:15Z',
    '2003-10-11T22:14:61Z',
    '2003-10-11T22:14:15+24:00',
    '2003-10-11T22:14:15+0',
    '1969-10-11T22:14:15Z',
    '2262-10-11T22:14:15Z',
    '1970-01-01T00:00:00+01:00',
    '2003/10/11T22:14:15Z',
    '2003-10-11_22:14:15Z',
    'two3-10-11T22:14:15Z',
  ])('refuses %s', (text) => expect(read(readIsoTime, text)).toBeUndefined());
});

describe('readBsdTime', () => {
  it('reads any time of the last eleven months as the one that was meant', () => {
    const now = at('2024-01-15T00:00:00Z');
    const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
    fc.assert(
      fc.property(fc.integer({ min: now - 330 * 86_400, max: now + 30 * 86_400 }), (second) => {
        const date = new Date(second * 1000);
        const clock = date.toISOString().slice(11, 19);
        const text = `${months[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${clock}`;
        expect(read(readBsdTime, text)).toEqual([date.toISOString().slice(0, 19), '']);
      }),
      random,
    );
  });

  it.each([
    ['Dec 31 23:59:59 x', '2024-01-01T00:00:10Z', '2023-12-31T23:59:59'],
    ['Jan  1 00:00:01 x', '2023-12-31T23:59:50Z', '2024-01-01T00:00:01'],
    ['Feb 29 12:00:00 x', '2024-03-01T00:00:00Z', '2024-02-29T12:00:00'],
    ['Feb 29 12:00:00 x', '2027-03-01T00:00:00Z', '2024-02-29T12:00:00'],
    ['Oct  1 12:00:00 x', '2024-03-01T00:00:00Z', '2023-10-01T12:00:00'],
  ])('finds the year of %s at %s', (text, now, time) => {
    expect(read(readBsdTime, text, context(now))).toEqual([time, ' x']);
  });

  it.each([
    ['Jul  1 12:00:00 x', '2023-07-01T10:00:00'],
    ['Jan  1 12:00:00 x', '2024-01-01T11:00:00'],
    ['Jul  1 12:00:00 UTC x', '2023-07-01T12:00:00'],
    ['Jul  1 12:00:00 GMT: x', '2023-07-01T12:00:00'],
    ['Jul  1 2019 12:00:00 CEST: x', '2019-07-01T10:00:00'],
  ])('reads %s as a clock in Berlin shows it', (text, time) => {
    expect(read(readBsdTime, text, context('2024-01-15T00:00:00Z', 'Europe/Berlin'))?.[0]).toBe(time);
  });

  it.each([
    ['Oct 1 22:14:15 x', '2023-10-01T22:14:15', ' x'],
    ['Oct 11 2018 22:14:15.1 x', '2018-10-11T22:14:15.100000000', ' x'],
    ['Oct 11 22:14:15 2018 x', '2018-10-11T22:14:15', ' x'],
    ['Oct 11 22:14:15 2018: x', '2018-10-11T22:14:15', ': x'],
    ['2018 Oct 11 22:14:15 x', '2018-10-11T22:14:15', ' x'],
    ['Oct 11 22:14:15 HOST x', '2023-10-11T22:14:15', ' HOST x'],
    ['Oct 11 22:14:15 20181 x', '2023-10-11T22:14:15', ' 20181 x'],
  ])('reads %s', (text, time, rest) => expect(read(readBsdTime, text)).toEqual([time, rest]));

  it.each([
    'Okt 11 22:14:15',
    'Oct 32 22:14:15',
    'Oct 11 22:14',
    'Oct  x 22:14:15',
    'oct 11 22:14:15',
    'Oct 111 22:14:15',
  ])('refuses %s', (text) => expect(read(readBsdTime, text)).toBeUndefined());
});

describe('Zone', () => {
  it('agrees with the system through the changes of a year, forwards and backwards', () => {
    const zone = new Zone('America/New_York');
    const format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: 'America/New_York',
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    const start = at('2024-01-01T00:00:00Z');
    for (let second = start; second < start + 366 * 86_400; second += 3 * 3600 + 60) {
      const local = Date.parse(`${format.format(second * 1000).replace(' ', 'T')}Z`) / 1000;
      const back = zone.utcSecond(local);
      // In the hour that comes twice either is right.
      expect([second, second - 3600, second + 3600]).toContain(back);
      expect(format.format(back * 1000)).toBe(format.format(second * 1000));
    }
  });

  it('takes names that the system knows, UTC and Local', () => {
    expect(() => new Zone('Local')).not.toThrow();
    expect(() => new Zone('Mars/Olympus')).toThrow(RangeError);
  });
});
