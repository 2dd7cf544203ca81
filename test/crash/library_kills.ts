// kill -9 of a small process that uses nothing but the log (holdfast/buffer), many times a second, over the same directory.
// Invariant: what it said before it died holds for every process after it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Seeded } from '../../bench/load/payload.ts';
import { verifyLog } from '../../buffer/index.ts';
import { LibraryLedger } from './library_ledger.ts';
import { Broken, expectThat, type Outcome, type Scenario, type Setting, within } from './scenario.ts';
import { PATIENCE_MS } from './site.ts';

const program = fileURLToPath(new URL('library_process.ts', import.meta.url));
const LIFE_MS_MAX = 350;
const LINES_MAX = 400;

export const libraryKills: Scenario = {
  name: 'library',
  summary: 'kill -9 of a process that only holds a log, with a ledger of what it said',
  async run(setting): Promise<Outcome> {
    const work = new Work(setting);
    await Promise.all(Array.from({ length: setting.side }, (_, lane) => work.lane(lane)));
    return { outcome: 'held', figures: { ...work.total } };
  },
};

class Work {
  readonly total = { kills: 0, while_opening: 0, acknowledged: 0, lost: 0, duplicates: 0 };
  readonly #setting: Setting;
  #begun = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  async lane(lane: number): Promise<void> {
    const { directory, seed, kills } = this.#setting;
    const random = new Seeded(seed + 1000 * lane + 500);
    const ledger = new LibraryLedger();
    const log = path.join(directory, `library-${lane}`);
    while (this.#begun < kills.library) {
      this.#begun += 1;
      await this.#kill(new Life(log, random.next(), 'work', ledger), random);
      const { total } = this;
      const said = `${total.kills}/${kills.library} kills; ${ledger.acknowledged} acknowledged in this lane`;
      this.#setting.progress(said);
    }
    const last = new Life(log, random.next(), 'drain', ledger);
    const code = await within(PATIENCE_MS, 'drained', last.exited, () => last.heard());
    expectThat(code === 0, `draining ended with ${code}`, last.heard());
    ledger.close();
    const { damage } = await verifyLog({ directory: log });
    expectThat(damage.length === 0, 'the log is whole', damage.map(({ message }) => message).join('\n'));
    this.total.acknowledged += ledger.acknowledged;
    this.total.duplicates += ledger.duplicates;
  }

  async #kill(life: Life, random: Seeded): Promise<void> {
    // Half of them after a time, which often is while it opens; half of them in the middle of what it does.
    const timed = random.next() % 2 === 0;
    const said = 1 + (random.next() % LINES_MAX);
    const timer = timed ? setTimeout(() => life.kill(), random.next() % LIFE_MS_MAX) : undefined;
    life.onLine = (count) => {
      if (!timed && count === said) life.kill();
    };
    const code = await within(PATIENCE_MS, 'gone', life.exited, () => life.heard());
    clearTimeout(timer);
    if (code !== null) throw new Broken(`the process ended by itself with ${code}`, life.heard());
    this.total.kills += 1;
    if (!life.opened) this.total.while_opening += 1;
  }
}

/** One life of the process; everything that it said is in the ledger when `exited` resolves. */
class Life {
  readonly exited: Promise<number | null>;
  onLine: (count: number) => void = () => {};
  opened = false;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #errors = '';

  constructor(directory: string, seed: number, mode: 'work' | 'drain', ledger: LibraryLedger) {
    const flags = ['--disable-warning=ExperimentalWarning', program];
    this.#child = spawn(process.execPath, [...flags, directory, String(seed), mode], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stderr!.on('data', (bytes: Buffer) => {
      this.#errors += bytes.toString('utf8');
    });
    let wrong: unknown;
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.#lines.push(line);
      this.opened ||= line.startsWith('open ');
      try {
        ledger.take(line);
      } catch (error) {
        wrong ??= error;
      }
      this.onLine(this.#lines.length);
    });
    this.exited = once(this.#child, 'close').then(([code]) => {
      if (wrong !== undefined) throw new Broken(String(wrong), this.heard());
      return code as number | null;
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  heard(): string {
    return [...this.#lines.slice(-20), this.#errors].join('\n');
  }
}
