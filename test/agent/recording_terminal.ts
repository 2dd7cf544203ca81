// A terminal that keeps what was printed, for tests of commands.

import type { Terminal } from '../../agent/terminal.ts';

export interface RecordingTerminal extends Terminal {
  outText(): string;
  errText(): string;
}

export function recordingTerminal(over: Partial<Terminal> = {}): RecordingTerminal {
  const printed = { out: '', err: '' };
  return {
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    outIsTerminal: false,
    errIsTerminal: false,
    env: {},
    ...over,
    outText: () => printed.out,
    errText: () => printed.err,
  };
}
