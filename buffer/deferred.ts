// A promise that is settled from outside, shared by everybody who waits for the same event. Nobody is obliged to wait for
// it, so a rejection that nobody sees is no error of the process.

export class Deferred {
  readonly promise: Promise<void>;
  resolve: () => void = () => {};
  reject: (reason: unknown) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => {});
  }
}

/** A promise that is rejected already, on the same terms. */
export function refused(reason: unknown): Promise<void> {
  const deferred = new Deferred();
  deferred.reject(reason);
  return deferred.promise;
}
