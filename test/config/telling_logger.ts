// A logger that tells a test, or a simulation, every line of every part as it comes.

import type { LogFields, Logger } from '../../config/logger.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

export function tellingLogger(tell: (level: Level, message: string, fields: LogFields) => void): Logger {
  const at =
    (level: Level) =>
    (message: string, fields: LogFields = {}): void =>
      tell(level, message, fields);
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: () => logger,
  };
  return logger;
}
