// Writes what happened as one line each: JSON, or a form for people on a terminal.
// Invariant: a warning or error that repeats fills no disk: past a burst it is counted, and the count is written.

import type { LogFields, Logger } from '../../config/logger.ts';

const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'console';
  /** Colours in the console form. */
  readonly color?: boolean;
  /** Gets whole lines, each with its newline. */
  readonly write: (line: string) => void;
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
  /** How many equal warnings or errors pass within one window. Default 3. */
  readonly burst?: number;
  /** Default 10,000. */
  readonly window_ms?: number;
}

/** Different messages watched for repetition at one time; beyond, the oldest is forgotten (its count is written first). */
const WATCHED_MAX = 500;

interface Repetition {
  readonly level: LogLevel;
  readonly message: string;
  readonly started_ms: number;
  written: number;
  suppressed: number;
  lastFields: LogFields;
}

/** A logger that can be told to write the counts it still holds back; call `flush` before the process ends. */
export interface AgentLogger extends Logger {
  flush(): void;
}

/** @returns a logger; all loggers made from it by `with` share its rate limit. */
export function createLogger(options: LoggerOptions): AgentLogger {
  const now = options.now ?? Date.now;
  const threshold = logLevels.indexOf(options.level);
  const render = options.format === 'json' ? renderJson : renderConsole(options.color ?? false);
  const emit = (level: LogLevel, message: string, fields: LogFields): void =>
    options.write(render(now(), level, message, fields));
  const limiter = new RepetitionLimiter(emit, now, options.burst ?? 3, options.window_ms ?? 10_000);

  const make = (bound: LogFields): AgentLogger => {
    const scope = JSON.stringify(bound);
    const at = (level: LogLevel) => {
      if (logLevels.indexOf(level) < threshold) return () => {};
      const limited = level === 'warn' || level === 'error';
      return (message: string, fields?: LogFields): void => {
        const all = fields ? { ...bound, ...fields } : bound;
        if (!limited || limiter.pass(`${level}${scope}${message}`, level, message, all)) {
          emit(level, message, all);
        }
      };
    };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      with: (more) => make({ ...bound, ...more }),
      flush: () => limiter.flush(),
    };
  };
  return make({});
}

/** Lets a burst of equal lines through per window and reports how many it held back when the window is over. */
class RepetitionLimiter {
  readonly #watched = new Map<string, Repetition>();
  readonly #emit: (level: LogLevel, message: string, fields: LogFields) => void;
  readonly #now: () => number;
  readonly #burst: number;
  readonly #window_ms: number;
  #sweep: NodeJS.Timeout | undefined;

  constructor(
    emit: (level: LogLevel, message: string, fields: LogFields) => void,
    now: () => number,
    burst: number,
    window_ms: number,
  ) {
    this.#emit = emit;
    this.#now = now;
    this.#burst = burst;
    this.#window_ms = window_ms;
  }

  pass(key: string, level: LogLevel, message: string, fields: LogFields): boolean {
    const now_ms = this.#now();
    let seen = this.#watched.get(key);
    if (seen && Math.abs(now_ms - seen.started_ms) >= this.#window_ms) {
      this.#close(key, seen);
      seen = undefined;
    }
    if (!seen) {
      this.#makeRoom();
      seen = { level, message, started_ms: now_ms, written: 0, suppressed: 0, lastFields: fields };
      this.#watched.set(key, seen);
    }
    if (seen.written < this.#burst) {
      seen.written += 1;
      return true;
    }
    seen.suppressed += 1;
    seen.lastFields = fields;
    // Only what was held back needs a later look, so a quiet agent has no timer.
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined;
      this.flush();
    }, this.#window_ms).unref();
    return false;
  }

  flush(): void {
    for (const [key, seen] of [...this.#watched]) this.#close(key, seen);
  }

  #makeRoom(): void {
    if (this.#watched.size < WATCHED_MAX) return;
    const [oldest] = this.#watched;
    if (oldest) this.#close(...oldest);
  }

  #close(key: string, seen: Repetition): void {
    this.#watched.delete(key);
    if (seen.suppressed > 0) {
      this.#emit(seen.level, seen.message, { ...seen.lastFields, suppressed: seen.suppressed });
    }
  }
}

function renderJson(at_ms: number, level: LogLevel, message: string, fields: LogFields): string {
  const line: Record<string, unknown> = { time: isoTime(at_ms), level, message };
  for (const [name, value] of Object.entries(fields)) {
    // A component's field never hides what the line itself says.
    if (value !== undefined) line[name in line ? `${name}_` : name] = value;
  }
  return `${JSON.stringify(line)}\n`;
}

const colors: Readonly<Record<LogLevel, string>> = { debug: '2', info: '36', warn: '33', error: '31' };

function renderConsole(color: boolean) {
  const paint = (code: string, text: string): string => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
  return (at_ms: number, level: LogLevel, message: string, fields: LogFields): string => {
    const time = isoTime(at_ms).slice(11, 23);
    const pairs = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => paint('2', `${name}=`) + plain(value));
    const text = printable(message);
    return `${[paint('2', time), paint(colors[level], level.padEnd(5)), text, ...pairs].join(' ')}\n`;
  };
}

function isoTime(at_ms: number): string {
  return Number.isFinite(at_ms) && Math.abs(at_ms) <= 8.64e15
    ? new Date(at_ms).toISOString()
    : '-'.repeat(24);
}

/** One line stays one line and a terminal stays sane, whatever a peer put into a message. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, (c) => {
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function plain(value: LogFields[string]): string {
  if (typeof value !== 'string') return String(value);
  const simple = /^[^\s"=\\]+$/.test(value);
  return simple ? printable(value) : printable(JSON.stringify(value));
}
