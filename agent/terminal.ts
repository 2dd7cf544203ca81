// The outside of a command: where it prints, whether people look at it, and the environment.
// Invariant: data goes to `out`, everything said about it to `err`, so that output can be piped.

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The process's own. A reader that goes away (`holdfast components | head -1`) is no failure. */
export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    outIsTerminal: process.stdout.isTTY === true,
    errIsTerminal: process.stderr.isTTY === true,
    env: process.env,
  };
}

/** NO_COLOR (no-color.org) and TERM=dumb are heeded; otherwise colours are for terminals only. */
export function wantsColor(terminal: Terminal, isTerminal: boolean): boolean {
  const { NO_COLOR, TERM } = terminal.env;
  return isTerminal && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb';
}
