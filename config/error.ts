// The one error shape of the house. Operating errors carry a stable code, whether trying again can help, and what
// caused them; a broken invariant is not an operating error and throws from node:assert instead.

export interface ErrorDetails {
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/** Base of every operating error. `code` has the form `HF_<AREA>_<NAME>` and never changes its meaning. */
export class HoldfastError extends Error {
  readonly code: string;
  /** True where the same call can succeed later without anybody changing anything. */
  readonly retryable: boolean;

  constructor(code: string, message: string, retryable: boolean, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = retryable;
  }
}
