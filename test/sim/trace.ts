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

  /** `at` and `bytes`: where in the file and how much, −1 where the operation has no such thing. */
  add(name: string, path: string, at: number, bytes: number, time_ms: number, result: unknown): void {
    this.operations += 1;
    this.#number(hashOf(name));
    this.#number(hashOf(path));
    this.#number(at);
    this.#number(bytes);
    this.#number(Math.round(time_ms * 1000));
    if (typeof result === 'number') this.#number(result);
    if (result instanceof Error) this.#number(hashOf(result.message));
    if (!this.#keep) return;
    const where = at < 0 ? '' : bytes < 0 ? ` ${at}` : ` ${at}+${bytes}`;
    this.note(`${time_ms.toFixed(3).padStart(12)} ${name} ${path}${where}${shown(result)}`);
  }

  /** A line about the workload rather than the disk. */
  note(line: string): void {
    if (this.#keep) this.lines.push(line);
  }

  event(line: string): void {
    this.#number(hashOf(line));
    this.note(line);
  }

  #number(value: number): void {
    this.hash = Math.imul(this.hash ^ (value | 0), 0x01000193) >>> 0;
  }
}

/** Of texts seen before: a run names the same few paths thousands of times. */
const known = new Map<string, number>();
const KNOWN_MAX = 10_000;

function hashOf(text: string): number {
  const before = known.get(text);
  if (before !== undefined) return before;
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(text, hash);
  return hash;
}

function shown(result: unknown): string {
  if (typeof result === 'number' || typeof result === 'boolean') return ` = ${result}`;
  return result instanceof Error ? ` ! ${result.message}` : '';
}
