// Lets one coroutine sleep until anything has happened. A notification given while nobody waits is kept, so that
// nothing that happened between looking and waiting is missed.

export class Wake {
  #resolve: (() => void) | undefined;
  #missed = false;

  notify(): void {
    const resolve = this.#resolve;
    if (resolve === undefined) {
      this.#missed = true;
      return;
    }
    this.#resolve = undefined;
    resolve();
  }

  /** One waiter at a time. Wakes may be spurious: look again. */
  wait(): Promise<void> {
    if (this.#missed) {
      this.#missed = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}
