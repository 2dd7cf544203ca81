// The face through which every part reports what happened. The agent gives the implementation (agent/telemetry);
// a library user may pass none. Fields are plain values: a secret has no form that could be logged.

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same logger with fields that every line repeats, such as the component's id. */
  with(fields: LogFields): Logger;
}

const nothing = (): void => {};

/** Says nothing; the default of the library and of tests. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  with: () => silentLogger,
};
