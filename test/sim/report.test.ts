// The page of figures says what the programs wrote, and nothing else.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { REPORT_PATH, type ReportChapter, readChapters, renderReport } from './report.ts';

const chapter: ReportChapter = {
  title: 'A trial',
  command: 'npm run trial',
  commit: '0123456789ab',
  date: '2026-11-21T00:00:00.000Z',
  text: ['All went well.'],
  tables: [{ columns: ['what', 'how many'], rows: [['a | b', 12345678]] }],
};

describe('the report', () => {
  it('is what its chapters say; `npm run sim:report` makes it anew', () => {
    expect(readFileSync(REPORT_PATH, 'utf8')).toBe(renderReport(readChapters()));
  });

  it('names command, commit and date of every chapter and keeps a bar from ending a cell', () => {
    const page = renderReport(new Map([['trial', chapter]]));
    expect(page).toContain('`npm run trial`, 2026-11-21T00:00:00.000Z, commit 0123456789ab.');
    expect(page).toContain('| a \\| b | 12,345,678 |');
  });
});
