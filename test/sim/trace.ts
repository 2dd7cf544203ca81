// What happened, folded into one number, and kept in words where somebody wants to read it. Invariant: the hash depends on
// the operations alone, so two runs of one seed must agree on it.

export class Trace {
  hash = 0x811c9dc5;
  operations = 0;
  readonly lines: string[] = [];
  readonly #keep: boolean;

  constructor(keep: boolean) {
    this.#keep = keep;
  }

  add(name: string, on: string, time_ms: number, result: unknown): void {
    this.operations += 1;
    this.#mix(name);
    this.#mix(on);
    this.#number(Math.round(time_ms * 1000));
    if (typeof result === 'number') this.#number(result);
    if (result instanceof Error) this.#mix(result.message);
    if (this.#keep) this.note(`${time_ms.toFixed(3).padStart(12)} ${name} ${on}${shown(result)}`);
  }

  /** A line about the workload rather than the disk. */
  note(line: string): void {
    if (this.#keep) this.lines.push(line);
  }

  event(line: string): void {
    this.#mix(line);
    this.note(line);
  }

  #mix(text: string): void {
    let hash = this.hash;
    for (let index = 0; index < text.length; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    }
    this.hash = hash >>> 0;
  }

  #number(value: number): void {
    this.hash = Math.imul(this.hash ^ (value | 0), 0x01000193) >>> 0;
  }
}

function shown(result: unknown): string {
  if (typeof result === 'number' || typeof result === 'boolean') return ` = ${result}`;
  return result instanceof Error ? ` ! ${result.message}` : '';
}
