// What passes between the driver and the thread that runs the checks. Invariant: plain data only.

/** Shared memory: checks begun (int32), length of the input (int32), the input. */
export const INPUT_AT = 8;
export const SHARED_BYTES = INPUT_AT + 1024 * 1024;

export interface Job {
  readonly parser: string;
  readonly seed: number;
  /** Mutated inputs, after the right ones and the corpus. */
  readonly runs: number;
  readonly corpus: readonly Uint8Array[];
  readonly shared: SharedArrayBuffer;
}

export interface Failure {
  readonly message: string;
  /** Made as small as it could be. */
  readonly input: Uint8Array;
  /** Which mutation it was; below 0: a right input or one of the corpus. */
  readonly at: number;
}

export interface Found {
  readonly accepted: number;
  readonly refused: number;
  readonly failure?: Failure;
}
