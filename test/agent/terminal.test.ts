import { describe, expect, it } from '@jest/globals';
import { wantsColor } from '../../agent/terminal.ts';
import { recordingTerminal } from './recording_terminal.ts';

describe('colours', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [true, { TERM: 'xterm' }, true],
  ])('on a terminal: %s, with %j: %s', (isTerminal, env, expected) => {
    expect(wantsColor(recordingTerminal({ env }), isTerminal)).toBe(expected);
  });
});
