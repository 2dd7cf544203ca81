import { describe, expect, it } from '@jest/globals';
import { LogWriter } from '../../../otlp/log_writer.ts';
import { encodeAttributes, Recorder } from '../../../receivers/syslog/recorder.ts';
import { NOW_MS, recordOf, recordsIn } from './records.ts';

describe('a message of RFC 5424', () => {
  it('becomes a record under the names of the Collector', () => {
    const line =
      '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 8710 ID47 ' +
      '[exampleSDID@32473 iut="3" eventSource="Application"][examplePriority@32473 class="high"] An event';
    expect(recordOf(line)).toEqual({
      time: '2003-10-11T22:14:15.003Z',
      observed_ns: BigInt(NOW_MS) * 1_000_000n,
      severity: 10,
      severityText: 'notice',
      body: line,
      attributes: {
        priority: 165,
        facility: 20,
        version: 1,
        hostname: 'mymachine.example.com',
        appname: 'evntslog',
        proc_id: '8710',
        msg_id: 'ID47',
        structured_data: {
          'exampleSDID@32473': { iut: '3', eventSource: 'Application' },
          'examplePriority@32473': { class: 'high' },
        },
        message: 'An event',
      },
    });
  });

  it('keeps its severity where the timestamp is nil, and has no attribute for what is nil', () => {
    expect(recordOf('<34>1 - - - - - -')).toMatchObject({
      time: undefined,
      severity: 18,
      severityText: 'crit',
      attributes: { priority: 34, facility: 4, version: 1 },
    });
    expect(Object.keys(recordOf('<34>1 - - - - - -').attributes)).toEqual([
      'priority',
      'facility',
      'version',
    ]);
  });

  it('loses its byte order mark in the text, and in front of the line', () => {
    const { attributes, body } = recordOf('\ufeff<14>1 - - - - - - \ufeffgrüße');
    expect(attributes['message']).toBe('grüße');
    expect(body).toBe('<14>1 - - - - - - \ufeffgrüße');
  });

  it.each([
    [
      'no timestamp',
      '<14>1 2003-13-11T22:14:15Z host app 1 ID - text',
      '2003-13-11T22:14:15Z host app 1 ID - text',
    ],
    ['no hostname', '<14>1 2003-10-11T22:14:15Z', undefined],
    ['no app-name', '<14>1 - host', undefined],
    ['no procid', '<14>1 - host app', undefined],
    ['no msgid', '<14>1 - host app 1', undefined],
    ['no structured data', '<14>1 - host app 1 ID', undefined],
    ['no structured data', '<14>1 - host app 1 ID text', 'text'],
    ['structured data that is none', '<14>1 - host app 1 ID [a@1 b="c] text', '[a@1 b="c] text'],
    ['structured data that is none', '<14>1 - host app 1 ID [a@1 b=c] text', '[a@1 b=c] text'],
    ['structured data that is none', '<14>1 - host app 1 ID [] text', '[] text'],
  ])('is kept with what was understood where it has %s: %s', (fault, line, message) => {
    const record = recordOf(line);
    expect(record.attributes['syslog.parse_error']).toBe(`RFC 5424: ${fault}`);
    expect(record.attributes['message']).toBe(message);
    expect(record).toMatchObject({ body: line, severity: 9 });
  });

  it('unescapes values, and only what is an escape', () => {
    const { attributes } = recordOf(String.raw`<14>1 - - - - - [x@1 a="say \"hi\" \\ [\] C:\dir" b=""]`);
    expect(attributes['structured_data']).toEqual({ 'x@1': { a: String.raw`say "hi" \ [] C:\dir`, b: '' } });
  });

  it('makes a list of a parameter that comes twice', () => {
    const { attributes } = recordOf(
      '<14>1 - - - - - [origin ip="1.1.1.1" ip="2.2.2.2" ip="3" x="y"][z@1 a="\\]"]',
    );
    expect(attributes['structured_data']).toEqual({
      origin: { ip: ['1.1.1.1', '2.2.2.2', '3'], x: 'y' },
      'z@1': { a: ']' },
    });
  });

  it('makes no prototype of a name', () => {
    const { attributes } = recordOf('<14>1 - - - - - [__proto__ a="1" a="2" __proto__="3"]');
    expect(JSON.stringify(attributes['structured_data'])).toContain('"a":["1","2"]');
  });
});

describe('a line of a device', () => {
  it.each<[string, string, string | undefined, Record<string, unknown>]>([
    [
      'RFC 3164',
      "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick",
      '2023-10-11T22:14:15Z',
      { hostname: 'mymachine', appname: 'su', message: "'su root' failed for lonvick" },
    ],
    [
      'RFC 3164 with a process and a day of one digit',
      '<30>Jan  5 01:02:03 web-1 sshd[4242]: Accepted publickey',
      '2024-01-05T01:02:03Z',
      { hostname: 'web-1', appname: 'sshd', proc_id: '4242', message: 'Accepted publickey' },
    ],
    [
      'without host, as glibc writes to the socket',
      '<30>Oct 11 22:14:15 dnsmasq[123]: query',
      '2023-10-11T22:14:15Z',
      { appname: 'dnsmasq', proc_id: '123', message: 'query' },
    ],
    [
      'without tag',
      '<13>Oct 11 22:14:15 host last message repeated 2 times',
      '2023-10-11T22:14:15Z',
      { hostname: 'host', message: 'last message repeated 2 times' },
    ],
    ['without time', '<13>app: text', undefined, { appname: 'app', message: 'text' }],
    ['without anything', '<13>just text', undefined, { message: 'just text' }],
    [
      'with a year before the clock (ASA)',
      '<166>Oct 11 2018 22:14:15 asa1 : %ASA-6-302013: Built outbound',
      '2018-10-11T22:14:15Z',
      { hostname: 'asa1', appname: '%ASA-6-302013', message: 'Built outbound' },
    ],
    [
      'ASA without host',
      '<166>Oct 11 2018 22:14:15: %ASA-6-302013: Built outbound',
      '2018-10-11T22:14:15Z',
      { appname: '%ASA-6-302013', message: 'Built outbound' },
    ],
    [
      'ASA in EMBLEM format',
      '<166>:Oct 11 22:14:15 PDT: %ASA-6-302013: Built',
      '2023-10-11T22:14:15Z',
      { appname: '%ASA-6-302013', message: 'Built' },
    ],
    [
      'ASA without time',
      '<166>%ASA-6-302013: Built',
      undefined,
      { appname: '%ASA-6-302013', message: 'Built' },
    ],
    [
      'ASA with an ISO time',
      '<166>2018-06-27T12:17:46Z asa : %ASA-3-710003: TCP',
      '2018-06-27T12:17:46Z',
      { hostname: 'asa', appname: '%ASA-3-710003', message: 'TCP' },
    ],
    [
      'IOS with a sequence number and a clock that is not set',
      '<189>123: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured',
      '2023-03-01T18:46:11.123Z',
      { appname: '%SYS-5-CONFIG_I', message: 'Configured' },
    ],
    [
      'IOS with two sequence numbers, origin and zone',
      '<189>45: router1: 000123: .Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured',
      '2023-03-01T18:48:50.483Z',
      { hostname: 'router1', appname: '%SYS-5-CONFIG_I', message: 'Configured' },
    ],
    [
      'IOS that says how long it is up',
      '<189>29: 00:00:46: %LINK-3-UPDOWN: Interface Port-channel1',
      undefined,
      { appname: '%LINK-3-UPDOWN', message: 'Interface Port-channel1' },
    ],
    [
      'NX-OS with the year first',
      '<189>: 2013 Apr 11 10:34:52 UTC: %ETHPORT-5-IF_DOWN: Ethernet1/1',
      '2013-04-11T10:34:52Z',
      { appname: '%ETHPORT-5-IF_DOWN', message: 'Ethernet1/1' },
    ],
    [
      'FortiGate',
      '<189>date=2021-01-01 time=12:00:00 devname="FG 100" devid="FG1" tz="+0100" msg="x"',
      '2021-01-01T11:00:00Z',
      {
        hostname: 'FG 100',
        message: 'date=2021-01-01 time=12:00:00 devname="FG 100" devid="FG1" tz="+0100" msg="x"',
      },
    ],
    [
      'FortiGate without zone and quotes',
      '<189>date=2021-01-01 time=12:00:00 devname=FG100 devid=FG1',
      '2021-01-01T12:00:00Z',
      { hostname: 'FG100', message: 'date=2021-01-01 time=12:00:00 devname=FG100 devid=FG1' },
    ],
    [
      'JunOS',
      '<28>Oct  2 12:00:00 router mgd[3046]: UI_DBASE_LOGOUT_EVENT: User',
      '2023-10-02T12:00:00Z',
      { hostname: 'router', appname: 'mgd', proc_id: '3046', message: 'UI_DBASE_LOGOUT_EVENT: User' },
    ],
    [
      'JunOS with the year behind',
      '<28>Oct  2 12:00:00.123 2021 router mgd[3046]: User',
      '2021-10-02T12:00:00.123Z',
      { hostname: 'router', appname: 'mgd', proc_id: '3046', message: 'User' },
    ],
    [
      'with an ISO time, as rsyslog forwards',
      '<13>2021-03-04T05:06:07.123456+02:00 host app[1]: text',
      '2021-03-04T03:06:07.123456Z',
      { hostname: 'host', appname: 'app', proc_id: '1', message: 'text' },
    ],
    [
      'with an ISO time of its own kind',
      '<13>2021-03-04 05:06:07,123 host app: text',
      '2021-03-04T05:06:07.123Z',
      { hostname: 'host', appname: 'app', message: 'text' },
    ],
    [
      'with an address for host',
      '<13>Oct 11 22:14:15 fe80::1 app: text',
      '2023-10-11T22:14:15Z',
      { hostname: 'fe80::1', appname: 'app', message: 'text' },
    ],
  ])('%s', (_, line, time, attributes) => {
    const record = recordOf(line);
    const { priority, facility, ...others } = record.attributes;
    expect(others).toEqual(attributes);
    expect(priority).toBe(Number(/^<(\d+)>/.exec(line)?.[1]));
    expect(facility).toBe(Math.floor(Number(priority) / 8));
    expect(record).toMatchObject({ time, body: line });
    expect(record.severity).toBeGreaterThan(0);
  });

  it.each([
    ['RFC 3164: neither priority nor timestamp', 'no priority at all', 'no priority at all'],
    ['RFC 3164: neither priority nor timestamp', '<192>text', '<192>text'],
    ['RFC 3164: neither priority nor timestamp', '<>text', '<>text'],
    ['RFC 3164: neither priority nor timestamp', '\u0001\u0002', '\u0001\u0002'],
    ['RFC 3164: nothing behind the priority', '<13>', undefined],
  ])('is kept raw and marked where it is none: %s', (fault, line, message) => {
    const record = recordOf(line);
    expect(record.body).toBe(line);
    expect(record.attributes['syslog.parse_error']).toBe(fault);
    expect(record.attributes['message']).toBe(message);
  });

  it('has its time without a priority too', () => {
    expect(recordOf('Oct 11 22:14:15 host app: text')).toMatchObject({
      time: '2023-10-11T22:14:15Z',
      severity: undefined,
      attributes: { hostname: 'host', appname: 'app', message: 'text' },
    });
  });
});

describe('severities', () => {
  it('are mapped as the Collector does', () => {
    const found = Array.from({ length: 8 }, (_, priority) => {
      const { severity, severityText } = recordOf(`<${priority}>text`);
      return [severity, severityText];
    });
    expect(found).toEqual([
      [21, 'emerg'],
      [19, 'alert'],
      [18, 'crit'],
      [17, 'err'],
      [13, 'warning'],
      [10, 'notice'],
      [9, 'info'],
      [5, 'debug'],
    ]);
  });
});

describe('a protocol that is configured', () => {
  it('is used whatever the message looks like', () => {
    const old = '<34>Oct 11 22:14:15 host su: text';
    const modern = '<34>1 - host app - - - text';
    expect(recordOf(old, { protocol: 'rfc5424' }).attributes['syslog.parse_error']).toBe(
      'RFC 5424: no version',
    );
    expect(recordOf(modern, { protocol: 'rfc3164' }).attributes).toEqual({
      priority: 34,
      facility: 4,
      message: '1 - host app - - - text',
    });
    expect(recordOf('1 - - - - - -', { protocol: 'rfc5424' }).attributes['syslog.parse_error']).toBe(
      'RFC 5424: no priority',
    );
  });
});

describe('bytes that are no UTF-8', () => {
  it('are read as Latin-1, so that none is lost, and the record says so', () => {
    const line = Buffer.from('<13>app: grüße', 'latin1');
    expect(recordOf(line)).toMatchObject({
      body: '<13>app: grüße',
      attributes: { message: 'grüße', 'syslog.encoding': 'iso-8859-1' },
    });
  });

  it('are not made by cutting', () => {
    const line = Buffer.from('<13>app: grüße');
    for (let stop = 10; stop <= line.length; stop += 1) {
      const { attributes, body } = recordOf(line.subarray(0, stop), { isCut: true });
      expect(attributes['syslog.truncated']).toBe(true);
      expect(attributes['syslog.encoding']).toBeUndefined();
      expect('<13>app: grüße'.startsWith(String(body))).toBe(true);
    }
  });
});

describe('attributes of a connection', () => {
  it('are on each record', () => {
    const recorder = new Recorder('auto', 'UTC');
    recorder.arrive(NOW_MS);
    const writer = new LogWriter(2 ** 20);
    const fixed = encodeAttributes({ site: 'north', rack: 7, spare: false });
    const line = Buffer.from('<13>text');
    for (let each = 0; each < 2; each += 1) recorder.record(writer, line, 0, line.length, true, false, fixed);
    const attributes = { priority: 13, facility: 1, message: 'text', site: 'north', rack: 7, spare: false };
    expect(recordsIn(writer.finish()!.bytes)).toMatchObject([{ attributes }, { attributes }]);
  });
});
