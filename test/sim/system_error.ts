// What a simulated disk refuses with: an error that carries the code a system would give.

/** Without a stack, which costs more than everything else about it and says nothing that the trace does not. */
export function systemError(code: string, what: string): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = Object.assign(new Error(`${code}: simulated, ${what}`), { code });
  Error.stackTraceLimit = limit;
  return error;
}
