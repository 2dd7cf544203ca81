// Two commands write one file: neither touches what the other measured.

import { describe, expect, it } from '@jest/globals';
import { withPart } from '../../bench/results_file.ts';

describe('the file of results', () => {
  it('keeps the other part byte for byte, in whichever order they are written', () => {
    const agent = '## The agent\n\n| a | b |\n|---|---|\n| 1 | 2 |\n';
    const log = '## The log\n\n### Writing\n\n| c |\n|---|\n| 3 |\n';
    const both = withPart(withPart('', 'agent', agent), 'log', log);
    expect(withPart(withPart('', 'log', log), 'agent', agent)).toBe(both);
    expect(both.indexOf(agent.trim())).toBeLessThan(both.indexOf(log.trim()));
    expect(both.match(/^# Results$/gm)).toHaveLength(1);
    expect(withPart(both, 'log', log)).toBe(both);
    const changed = withPart(both, 'log', '## The log\n\nnothing');
    expect(changed).toContain(agent.trim());
    expect(changed).not.toContain('| 3 |');
    expect(withPart(changed, 'log', log)).toBe(both);
  });
});
