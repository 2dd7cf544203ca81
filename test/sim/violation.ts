// A promise of the log that did not hold. The numbers are those of the invariants in the README.

export type InvariantNumber = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;

export class Violation extends Error {
  readonly invariant: InvariantNumber;

  constructor(invariant: InvariantNumber, message: string) {
    super(`invariant ${invariant}: ${message}`);
    this.name = 'Violation';
    this.invariant = invariant;
  }
}
