import { describe, expect, it } from '@jest/globals';
import { Report } from '../../../agent/schema/report.ts';
import { checkWorkers } from '../../../agent/schema/workers.ts';
import { loadConfig } from '../../../config/source.ts';

const report = (): Report =>
  new Report(loadConfig({ files: [{ name: 'a.yaml', text: 'service: {workers: 2}' }], env: {} }));

describe('service.workers', () => {
  it('is what was asked for, and auto the cores that the process may use', () => {
    expect(checkWorkers(report(), 3, 'linux', 8)).toBe(3);
    expect(checkWorkers(report(), 'auto', 'linux', 2)).toBe(2);
    expect(checkWorkers(report(), 'auto', 'linux', 200)).toBe(64);
  });

  it('is 1 where ports cannot be shared: auto by itself, more than that is an error with its place', () => {
    expect(checkWorkers(report(), 'auto', 'darwin', 8)).toBe(1);
    const mac = report();
    checkWorkers(mac, 2, 'darwin', 8);
    expect(mac.problems()).toMatchObject([
      { severity: 'error', path: 'service.workers', line: 1, expected: '1 or auto here' },
    ]);
    const one = report();
    checkWorkers(one, 1, 'darwin', 8);
    expect(one.failed()).toBe(false);
  });
});
