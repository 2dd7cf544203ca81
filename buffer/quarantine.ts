// Copies damaged bytes of a shard's segments aside, as far as there is room: the segment that holds them will be removed one
// day. Invariant: a copy, with its name, is durable before the caller goes on, since what it was copied from may be cut next.

import type { LogParts } from './log_parts.ts';
import { segmentName } from './names.ts';
import type { DamagedBytes } from './recovery.ts';
import { readFully, writeNewFile } from './whole_io.ts';

const QUARANTINE = 'quarantine';
/** Of one damage. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;
/** For whoever repairs by hand and wants all of it. */
const KEPT_WHOLE_BYTES_MAX = 2 ** 30;

export class Quarantine {
  readonly #directory: string;
  readonly #shard: string;
  readonly #parts: Pick<LogParts, 'fileSystem' | 'epoch' | 'report'>;
  readonly #whole: boolean;

  /** @param whole what cannot be copied fails the caller: nothing may be given up before there is a copy of all of it. */
  constructor(
    directory: string,
    shard: string,
    parts: Pick<LogParts, 'fileSystem' | 'epoch' | 'report'>,
    whole: boolean,
  ) {
    this.#directory = directory;
    this.#shard = shard;
    this.#parts = parts;
    this.#whole = whole;
  }

  async keep(from: string, damaged: readonly DamagedBytes[]): Promise<void> {
    for (const damage of damaged) {
      if (damage.bytes === 0) continue;
      try {
        await this.#copy(from, damage);
      } catch (error) {
        if (this.#whole) throw error;
        this.#parts.report('warn', 'damaged bytes could not be copied aside', {
          shard: this.#shard,
          error: String(error),
        });
      }
    }
  }

  async #copy(from: string, damage: DamagedBytes): Promise<void> {
    const { fileSystem, epoch } = this.#parts;
    await fileSystem.makeDirectory(`${this.#directory}/${QUARANTINE}`);
    const name = `${segmentName(damage.from).slice(0, 20)}-${segmentName(damage.to).slice(0, 20)}.bin`;
    let path = `${this.#directory}/${QUARANTINE}/${name}`;
    // Offsets that are lost are lost once; of a tail that nobody was promised another may have stood there before.
    if (damage.from < damage.to && (await fileSystem.stat(path))) return;
    if (await fileSystem.stat(path)) path += `.${epoch}`;
    const file = await fileSystem.open(from, 'read');
    const bytes = Buffer.alloc(Math.min(damage.bytes, this.#whole ? KEPT_WHOLE_BYTES_MAX : KEPT_BYTES_MAX));
    const read = await readFully(file, bytes, damage.position).finally(() => file.close());
    await writeNewFile(fileSystem, path, bytes.subarray(0, read));
    await fileSystem.syncDirectory(`${this.#directory}/${QUARANTINE}`);
    await fileSystem.syncDirectory(this.#directory);
  }
}
