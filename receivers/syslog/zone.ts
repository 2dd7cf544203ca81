// Local times of a place in UTC: RFC 3164 has no zone in its times. Asking the system costs microseconds, so the answer is kept
// for a quarter of an hour of local time, within which no zone changes. Invariant: the same local time gives the same second.

const QUARTER_S = 900;

export class Zone {
  readonly #format: Intl.DateTimeFormat | undefined;
  #quarter = Number.NaN;
  #offset_s = 0;

  /** @param name of the IANA time zone database; `Local`: of this machine. @throws RangeError for any other */
  constructor(name: string) {
    if (name === 'UTC') return;
    const timeZone = name === 'Local' ? {} : { timeZone: name };
    this.#format = new Intl.DateTimeFormat('en-US', { ...timeZone, timeZoneName: 'longOffset' });
  }

  /** @param local_s seconds since 1970 as clocks on the wall there show them */
  utcSecond(local_s: number): number {
    if (!this.#format) return local_s;
    const quarter = Math.floor(local_s / QUARTER_S);
    if (quarter !== this.#quarter) {
      // The first guess is right but near a change; the second is right there too, and any answer does in an hour that is skipped.
      const guess = local_s - this.#offsetAt(local_s);
      this.#offset_s = this.#offsetAt(guess);
      this.#quarter = quarter;
    }
    return local_s - this.#offset_s;
  }

  #offsetAt(utc_s: number): number {
    const parts = this.#format!.formatToParts(utc_s * 1000);
    const text = parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
    const match = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text);
    if (!match) return 0;
    const [, sign, hours, minutes, seconds = '0'] = match;
    return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
  }
}

/** Whether `name` is a zone that this machine knows. */
export function isZone(name: string): boolean {
  try {
    new Zone(name);
    return true;
  } catch {
    return false;
  }
}
