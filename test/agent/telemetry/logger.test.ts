import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { createLogger, type LoggerOptions } from '../../../agent/telemetry/logger.ts';

function collect(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  let now_ms = Date.UTC(2024, 0, 2, 3, 4, 5, 678);
  const logger = createLogger({
    level: 'info',
    format: 'json',
    write: (line) => lines.push(line),
    now: () => now_ms,
    ...options,
  });
  const parsed = (): Record<string, unknown>[] => lines.map((line) => JSON.parse(line));
  return { logger, lines, parsed, advance: (by_ms: number) => (now_ms += by_ms) };
}

describe('the JSON form', () => {
  it('is one object a line with time, level, message and fields', () => {
    const { logger, lines } = collect();
    logger.with({ component: 'otlp' }).info('listening', { port: 4317, tls: false, missing: undefined });
    expect(lines).toEqual([
      '{"time":"2024-01-02T03:04:05.678Z","level":"info","message":"listening","component":"otlp","port":4317,"tls":false}\n',
    ]);
  });

  it('keeps a field that is named like its own keys beside them', () => {
    const { logger, parsed } = collect();
    logger.info('told', { level: 7, message: 'x' });
    expect(parsed()[0]).toMatchObject({ level: 'info', message: 'told', level_: 7, message_: 'x' });
  });

  it('stays one parseable line whatever is logged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (message, value) => {
        const { logger, lines } = collect();
        logger.info(message, { value });
        expect(lines).toHaveLength(1);
        expect(lines[0]!.indexOf('\n')).toBe(lines[0]!.length - 1);
        expect(JSON.parse(lines[0]!)).toMatchObject({ message, value });
      }),
    );
  });

  it('survives a clock that answers nonsense', () => {
    const { logger, lines } = collect({ now: () => Number.NaN });
    logger.info('still here');
    expect(lines).toHaveLength(1);
  });
});

describe('the console form', () => {
  it('is readable and has no colours unless asked', () => {
    const { logger, lines } = collect({ format: 'console' });
    logger.warn('disk is slow', { took_ms: 12, path: '/a b' });
    expect(lines).toEqual(['03:04:05.678 warn  disk is slow took_ms=12 path="/a b"\n']);
  });

  it('has colours when asked', () => {
    const { logger, lines } = collect({ format: 'console', color: true });
    logger.error('x');
    expect(lines[0]).toContain('\x1b[31merror');
  });

  it('lets no message or value steer the terminal or begin a line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (message, value) => {
        const { logger, lines } = collect({ format: 'console' });
        logger.info(message, { value });
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
        expect(lines[0]!.slice(0, -1)).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
      }),
    );
  });
});

describe('the level', () => {
  it('hides what is below it, for derived loggers too', () => {
    const { logger, parsed } = collect({ level: 'warn' });
    logger.debug('a');
    logger.with({ a: 1 }).info('b');
    logger.warn('c');
    logger.error('d');
    expect(parsed().map((line) => line['message'])).toEqual(['c', 'd']);
  });
});

describe('repeated warnings and errors', () => {
  it('pass as a burst, are then counted, and the count is written when the window is over', () => {
    const { logger, parsed, advance } = collect();
    for (let i = 1; i <= 100; i += 1) logger.error('backend unreachable', { attempt: i });
    expect(parsed().map((line) => line['attempt'])).toEqual([1, 2, 3]);
    advance(10_000);
    logger.error('backend unreachable', { attempt: 101 });
    expect(parsed().slice(3)).toMatchObject([{ attempt: 100, suppressed: 97 }, { attempt: 101 }]);
    expect(parsed()[4]).not.toHaveProperty('suppressed');
  });

  it('are told apart by level, message and component', () => {
    const { logger, lines } = collect({ burst: 1 });
    for (let i = 0; i < 5; i += 1) {
      logger.warn('x');
      logger.error('x');
      logger.error('y');
      logger.with({ component: 'a' }).error('x');
      logger.with({ component: 'b' }).error('x');
    }
    expect(lines).toHaveLength(5);
  });

  it('do not hold back information', () => {
    const { logger, lines } = collect();
    for (let i = 0; i < 50; i += 1) logger.info('summary');
    expect(lines).toHaveLength(50);
  });

  it('are counted out by themselves when nothing follows', () => {
    jest.useFakeTimers();
    try {
      const { logger, parsed } = collect({ burst: 1 });
      logger.warn('once');
      logger.warn('once');
      jest.advanceTimersByTime(9_999);
      expect(parsed()).toHaveLength(1);
      jest.advanceTimersByTime(1);
      expect(parsed()[1]).toMatchObject({ message: 'once', suppressed: 1 });
    } finally {
      jest.useRealTimers();
    }
  });

  it('are counted out by flush, once', () => {
    const { logger, parsed } = collect({ burst: 1 });
    logger.error('e');
    logger.error('e');
    logger.flush();
    logger.flush();
    expect(parsed()).toHaveLength(2);
  });

  it('are remembered for a bounded number of messages, and none is lost from the count', () => {
    const { logger, parsed } = collect({ burst: 1 });
    for (let i = 0; i < 2_000; i += 1) {
      logger.error(`message ${i}`);
      logger.error(`message ${i}`);
    }
    logger.flush();
    const suppressed = parsed().reduce((sum, line) => sum + Number(line['suppressed'] ?? 0), 0);
    expect(suppressed).toBe(2_000);
  });

  it('are let through again when the clock jumps back', () => {
    const { logger, lines, advance } = collect({ burst: 1 });
    logger.error('e');
    advance(-3_600_000);
    logger.error('e');
    expect(lines).toHaveLength(2);
  });
});
