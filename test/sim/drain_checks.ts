// What must hold of the exporters whatever their destinations and the disk do: nothing is committed that was not delivered,
// dead-lettered or given up by a rule that the user wrote, and a backend that is well is not kept waiting by one that is
// not. Invariant: it judges by requests, answers and what can be read of the log; it changes nothing.

import { ShardReader } from '../../buffer/reader.ts';
import type { Shard } from '../../buffer/shard.ts';
import { type Backend, GIANT_CHUNK_BYTES, type Mood } from './backend.ts';
import { ANSWER_BYTES_MAX } from './drain_exporter.ts';
import type { DrainJournal } from './drain_journal.ts';
import type { DrainModel, ModelEntry } from './drain_model.ts';
import { type DrainOptions, retentionMayDrop } from './drain_options.ts';
import type { DrainSubject } from './drain_subject.ts';
import { Violation } from './violation.ts';

/** What is known of one exporter over all lives. */
export interface Watched {
  readonly index: number;
  readonly journal: DrainJournal;
  /** Entries that its backend will never take. */
  readonly poisons: (entry: ModelEntry) => boolean;
  /** Dead letters that were read: the entry's id and the letter's offset. */
  readonly letters: Map<number, number>;
  /** Those that a committed offset relies on. */
  readonly relied: Set<number>;
  /** Up to where each shard's committed offset was judged. */
  readonly judged: Map<string, number>;
  /** Entries that were neither delivered nor dead-lettered, by what explains them. */
  readonly givenUp: Map<string, number>;
  /** Dropped as `on_rejected` says, in lives that are over. */
  droppedBefore: number;
}

/** In so much time an exporter whose backend is well has everything: longer than any time-out and back-off. */
const PATIENCE_MS = 120_000;
/** Moods in which a backend takes all that it is sent. */
const TAKING: ReadonlySet<Mood> = new Set(['healthy', 'partial', 'garbage', 'giant']);

export function newWatched(index: number, journal: DrainJournal, poisons: Watched['poisons']): Watched {
  return {
    index,
    journal,
    poisons,
    letters: new Map(),
    relied: new Set(),
    judged: new Map(),
    givenUp: new Map(),
    droppedBefore: 0,
  };
}

export class DrainChecks {
  readonly #options: DrainOptions;
  readonly #model: DrainModel;
  readonly #now_ms: () => number;
  /** Where the reading of each exporter's dead letters stands. */
  readonly #positions = new Map<Shard, number>();

  /** `now_ms` is monotonic. */
  constructor(options: DrainOptions, model: DrainModel, now_ms: () => number) {
    this.#now_ms = now_ms;
    this.#options = options;
    this.#model = model;
  }

  /** Judges what was committed since the last time. Reads dead letters only where something was given up. */
  async committed(subject: DrainSubject, watched: Watched): Promise<void> {
    const outlet = subject.outlets[watched.index]!;
    const missing: { entry: ModelEntry; shard: Shard }[] = [];
    for (const source of outlet.sources) {
      const shard = subject.shards.find((one) => one.id === source.name)!;
      const from = watched.judged.get(shard.id) ?? 0;
      const to = source.committed();
      for (let offset = from; offset < to; offset++) {
        const entry = this.#model.at(shard.id, offset);
        if (entry && this.#isMissing(entry, watched)) missing.push({ entry, shard });
      }
      watched.judged.set(shard.id, Math.max(from, to));
    }
    if (missing.length > 0) await this.#judge(subject, watched, missing);
  }

  /** What can be said without reading anything. */
  health(subject: DrainSubject, backends: readonly Backend[]): void {
    for (const shard of subject.shards) {
      const { appended, failed } = shard.account();
      if (appended + failed !== shard.highWatermark)
        throw new Violation(8, `${shard.id}: ${appended} + ${failed}`);
    }
    for (const [index, outlet] of subject.outlets.entries()) {
      const still = outlet.warnings().find((warning) => warning.includes('stands still'));
      if (still) throw new Violation(14, still);
      if (outlet.telemetry.inFlight < 0 || outlet.telemetry.held < 0) {
        throw new Violation(13, `${outlet.id}: ${JSON.stringify(outlet.telemetry)}`);
      }
      const taken_bytes = backends[index]!.answerTaken_bytes;
      if (taken_bytes > ANSWER_BYTES_MAX + GIANT_CHUNK_BYTES) {
        throw new Violation(13, `${outlet.id} read ${taken_bytes} bytes of an answer`);
      }
    }
  }

  /** Who is well is served, whatever the others do. `wellSince_ms`: since when disk and agent are. */
  prompt(subject: DrainSubject, watched: Watched, backend: Backend, wellSince_ms: number): void {
    const { journal } = watched;
    const { on_rejected, rate_limit_bytes_per_s } = journal.options.config;
    if (journal.options.poison > 0 || rate_limit_bytes_per_s > 0 || retentionMayDrop(this.#options)) return;
    if (on_rejected === 'drop' || on_rejected === 'dead_letter' || !TAKING.has(backend.mood)) return;
    const now_ms = this.#now_ms();
    if (now_ms - Math.max(backend.since_ms, wellSince_ms, journal.patience_ms) < PATIENCE_MS) return;
    const mine = new Set(subject.outlets[watched.index]!.sources.map((source) => source.name));
    for (const entry of this.#model.entries.values()) {
      if (!entry.owed || entry.undecodable || !mine.has(entry.shard) || journal.told.has(entry.id)) continue;
      if (now_ms - entry.owed_ms < PATIENCE_MS) continue;
      const message = `${journal.options.id} is well and waits for entry ${entry.id} since ${entry.owed_ms} ms`;
      throw new Violation(14, message);
    }
  }

  /** Everything that is owed is accounted for, committed or not, and what counts as delivered was. */
  async settled(subject: DrainSubject, watched: Watched, backend: Backend): Promise<void> {
    for (const id of watched.journal.told.keys()) {
      if (backend.accepted.has(id)) continue;
      throw new Violation(
        2,
        `${watched.journal.options.id} takes entry ${id} for delivered, its backend never took it`,
      );
    }
    const outlet = subject.outlets[watched.index]!;
    for (const source of outlet.sources) watched.judged.set(source.name, 0);
    watched.givenUp.clear();
    await this.committed(subject, watched);
  }

  /** After a recovery: no dead letter that was relied upon may be gone. */
  async recovered(subject: DrainSubject, watched: Watched): Promise<void> {
    const { logStart } = subject.letters[watched.index]!;
    // What retention took after it was read was there.
    for (const [id, offset] of watched.letters) if (offset >= logStart) watched.letters.delete(id);
    if (watched.relied.size === 0) return;
    await this.readLetters(subject, watched);
    for (const id of watched.relied) {
      if (!watched.letters.has(id)) {
        throw new Violation(1, `${watched.journal.options.id}: the dead letter of entry ${id} is gone`);
      }
    }
  }

  #isMissing(entry: ModelEntry, watched: Watched): boolean {
    if (!entry.owed || entry.gone) return false;
    return !watched.journal.told.has(entry.id) && !watched.letters.has(entry.id);
  }

  async #judge(
    subject: DrainSubject,
    watched: Watched,
    missing: readonly { entry: ModelEntry; shard: Shard }[],
  ): Promise<void> {
    await this.readLetters(subject, watched);
    for (const { entry, shard } of missing) {
      if (watched.letters.has(entry.id)) watched.relied.add(entry.id);
      else if (!this.#givenUp(subject, watched, entry, shard)) {
        const { id } = watched.journal.options;
        const message = `${id} committed past ${shard.id}-${entry.offset} (entry ${entry.id}), which it never delivered`;
        throw new Violation(2, message);
      }
    }
  }

  /** Whether a rule that the user wrote explains that an entry is gone; every explanation serves as often as it was counted. */
  #givenUp(subject: DrainSubject, watched: Watched, entry: ModelEntry, shard: Shard): boolean {
    const { config } = watched.journal.options;
    const given = watched.givenUp;
    const letters = subject.letters[watched.index]!;
    if (entry.offset < shard.logStart && retentionMayDrop(this.#options)) {
      const counted = droppedOf(shard) - (this.#isOld(entry) ? 0 : shard.account().dropped.max_age);
      // For whom nothing is protected, what the others have consumed counts as consumed.
      if (!config.protect || spend(given, shard.id, counted)) return true;
    }
    if (config.on_rejected === 'drop' && !entry.undecodable) {
      if (spend(given, 'dropped', watched.droppedBefore + droppedIn(subject, watched))) return true;
    }
    // Under `drop_oldest` a dead letter may be the oldest that there is.
    return this.#options.whenFull === 'drop_oldest' && spend(given, letters.id, droppedOf(letters));
  }

  /** Whether age may have removed it. */
  #isOld(entry: ModelEntry): boolean {
    const { maxAge_ms } = this.#options;
    return maxAge_ms !== undefined && this.#now_ms() - entry.appended_ms >= maxAge_ms;
  }

  /** Reads on in the dead letters of an exporter. Nothing stands there that its backend would have taken. */
  async readLetters(subject: DrainSubject, watched: Watched): Promise<void> {
    const shard = subject.letters[watched.index]!;
    const reader = new ShardReader(shard, this.#positions.get(shard) ?? shard.logStart);
    try {
      while (reader.position < shard.highWatermark) {
        const batch = await reader.read({ wait_ms: 0 });
        if (!batch) break;
        for (const [at, stored] of batch.entries.entries()) {
          this.#letter(watched, this.#model.identifyStored(stored), batch.offsets[at]!);
        }
        batch.release();
        this.#positions.set(shard, batch.next);
      }
    } finally {
      reader.close();
    }
  }

  #letter(watched: Watched, entry: ModelEntry | undefined, offset: number): void {
    if (!entry) return;
    watched.letters.set(entry.id, offset);
    const { id, config } = watched.journal.options;
    if (config.on_rejected === 'dead_letter' || entry.undecodable || watched.poisons(entry)) return;
    this.#model.fail(new Violation(2, `${id} dead-lettered entry ${entry.id}, with which nothing is wrong`));
  }
}

function droppedOf(shard: Shard): number {
  return Object.values(shard.account().dropped).reduce((sum, count) => sum + count, 0);
}

/** Uses up one of `counted`; false where all of them are used up. */
function spend(given: Map<string, number>, on: string, counted: number): boolean {
  const spent = (given.get(on) ?? 0) + 1;
  if (spent > counted) return false;
  given.set(on, spent);
  return true;
}

export function droppedIn(subject: DrainSubject, watched: Watched): number {
  const { signals } = subject.outlets[watched.index]!.telemetry;
  return signals.traces.droppedEntries + signals.logs.droppedEntries;
}
