// Raw inflate into memory that is used again. Memory for every body costs its page faults, and as it lies outside V8's heap
// makes the collector run full cycles: 1.92 against 1.16 CPU seconds per million spans (gzip, 512-span requests).
// Invariant: what comes out is what zlib.inflateRawSync gives, or nothing, and then the caller asks that one.
//
// No public call of node:zlib takes the memory to write to, so this reaches behind it, here and nowhere else. Whether that
// works as it does in the Node that Holdfast is pinned to is tried once, on a sample, before it is relied on.

import zlib from 'node:zlib';
import type { Unpacked } from './bounded.ts';

const KEPT_BYTES = 2 ** 20;

/** What stands behind a stream of node:zlib; its declared types do not say so. */
interface Engine extends zlib.InflateRaw {
  readonly _handle?: {
    reset(): void;
    /** Errors destroy the engine instead of being thrown. */
    writeSync(
      flush: number,
      input: Uint8Array,
      inputAt: number,
      inputBytes: number,
      output: Uint8Array,
      outputAt: number,
      outputBytes: number,
    ): void;
  };
  /** After a write: what is left of the output, and of the input. */
  readonly _writeState?: Uint32Array;
}

export class Inflater {
  #engine: Engine | undefined;
  readonly #memory: Buffer | undefined;

  constructor() {
    this.#memory = Buffer.allocUnsafe(KEPT_BYTES);
    if (!this.#isSound()) this.#memory = undefined;
  }

  /** Whether memory is used again in this Node. */
  get reuses(): boolean {
    return this.#memory !== undefined;
  }

  /**
   * At most `most_bytes` and one more, which shows that there were more. Undefined where the stream is broken, or this is not
   * for so much. The bytes are valid until the next call.
   */
  inflate(deflate: Buffer, most_bytes: number): Unpacked | undefined {
    const memory = this.#memory;
    if (!memory || most_bytes >= memory.length) return undefined;
    const engine = this.#ready();
    const { _handle: handle, _writeState: state } = engine;
    if (!handle || !state) return undefined;
    handle.reset();
    handle.writeSync(zlib.constants.Z_FINISH, deflate, 0, deflate.length, memory, 0, most_bytes + 1);
    if (engine.destroyed) return undefined;
    const [outputLeft = 0, inputLeft = 0] = state;
    return {
      bytes: memory.subarray(0, most_bytes + 1 - outputLeft),
      consumed_bytes: deflate.length - inputLeft,
    };
  }

  /** One that met a broken stream is of no use any more. */
  #ready(): Engine {
    if (!this.#engine || this.#engine.destroyed) {
      this.#engine = zlib.createInflateRaw();
      this.#engine.on('error', ignore);
    }
    return this.#engine;
  }

  #isSound(): boolean {
    const plain = Buffer.from('sound '.repeat(50));
    const deflate = zlib.deflateRawSync(plain);
    try {
      const once = this.inflate(Buffer.concat([deflate, Buffer.alloc(8)]), plain.length);
      const sound = once?.bytes.equals(plain) && once.consumed_bytes === deflate.length;
      const broken = this.inflate(deflate.subarray(0, -4), plain.length);
      return sound === true && broken === undefined && this.inflate(deflate, 9)?.bytes.length === 10;
    } catch {
      return false;
    }
  }
}

function ignore(): void {}
