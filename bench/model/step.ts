// One step of a request's way, and the least that a program must spend on it here. Invariant: both are measured by CPU, user
// and system, of all threads of the process that does it.

export interface Work {
  readonly name: string;
  /** Does it for all requests of its way. @returns µs of CPU */
  cost(): Promise<number>;
}

export interface Step extends Work {
  /** The same as a program without any comfort does it; undefined where nothing less is known. */
  readonly least: Work | undefined;
  /** Done once for all requests of the scenario, not once for each of the way. */
  readonly once?: true;
  /** What comes before each measurement and is not part of it. */
  prepare?(): Promise<void>;
}

/** Work that this process does. */
export function here(name: string, run: () => Promise<void> | void): Work {
  return {
    name,
    async cost() {
      const before = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(before);
      return user + system;
    },
  };
}
