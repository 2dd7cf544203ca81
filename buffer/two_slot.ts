// A small state that must be replaced atomically and without free space: one preallocated file, two checksummed slots
// written in turn. Invariant: the slot that is being written is never the one that holds the newest durable state.

import { crc32 } from 'node:zlib';
import { LogClosed, NewerFormat } from './errors.ts';
import { readOffset, writeOffset } from './frame.ts';
import { errorCode, type File, type FileSystem } from './ports/file_system.ts';
import { readFully, writeFully } from './whole_io.ts';

export const SLOT_BYTES = 4096;
/** magic u32, version u16, length u16, sequence u64, CRC32 of all of it and the payload. FORMAT.md, "Two-slot file". */
const SLOT_HEADER_BYTES = 20;
const SLOT_VERSION = 1;
export const SLOT_PAYLOAD_MAX_BYTES = SLOT_BYTES - SLOT_HEADER_BYTES;

interface Slot {
  readonly sequence: number;
  readonly payload: Buffer;
}

/** What a two-slot file was found to hold. */
export interface StoredState {
  /** The newest intact state, undefined where there is none. */
  readonly payload: Buffer | undefined;
  /** Tells a state that was lost, or one of its two copies, from one that was never written. */
  readonly damaged: boolean;
  /** Both slots hold the newest state: no damage to one of them takes anything back. */
  readonly mirrored: boolean;
  /** Synced by this process. Where the disk refused, a power cut may bring back the state before: nothing final may follow from this one. */
  readonly durable: boolean;
}

export class TwoSlotFile {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #path: string;
  readonly #magic: number;
  readonly #confirmOwner: () => Promise<void> | undefined;
  #file: File | undefined;
  #sequence = 0;
  /** Set once a write failed: the file is then replaced as a whole, never synced again. */
  #suspect = false;
  #closed = false;

  /**
   * @param magic four ASCII characters that tell this kind of file from the others
   * @param confirmOwner asked before each write of a file that only the directory's owner may write
   */
  constructor(
    fileSystem: FileSystem,
    directory: string,
    name: string,
    magic: string,
    confirmOwner: () => Promise<void> | undefined = () => undefined,
  ) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#path = `${directory}/${name}`;
    this.#confirmOwner = confirmOwner;
    this.#magic = Buffer.from(magic, 'latin1').readUInt32LE(0);
  }

  /** Mode `read` is for looking at somebody else's. @throws NewerFormat */
  async open(mode: 'read' | 'write' = 'write'): Promise<StoredState> {
    let file: File;
    try {
      file = await this.#fileSystem.open(this.#path, mode);
    } catch (error) {
      if (errorCode(error) === 'ENOENT')
        return { payload: undefined, damaged: false, mirrored: true, durable: true };
      throw error;
    }
    let kept = false;
    try {
      const bytes = Buffer.alloc(2 * SLOT_BYTES);
      await readFully(file, bytes, 0);
      const slots = [this.#decode(bytes, 0), this.#decode(bytes, SLOT_BYTES)].filter(
        (slot) => slot !== undefined,
      );
      const newest = slots.sort((a, b) => b.sequence - a.sequence)[0];
      if (newest) {
        this.#file = file;
        this.#sequence = newest.sequence;
        kept = true;
        const durable = mode === 'write' && (await this.#settle(file, newest.payload));
        const mirrored = slots.length === 2 && slots[0]!.payload.equals(slots[1]!.payload);
        return { payload: newest.payload, damaged: slots.length < 2, mirrored, durable };
      }
      this.#refuseNewer(bytes);
      // An empty file is what a crash at creation leaves; anything else was damaged.
      this.#suspect = true;
      const damaged = bytes.some((byte) => byte !== 0);
      return { payload: undefined, damaged, mirrored: true, durable: true };
    } finally {
      if (!kept) await file.close();
    }
  }

  /**
   * What was read may stand in the page cache alone, where the process that wrote it died before its sync or after a failed
   * one: were the other slot written now, a power cut could take both. So the slot is written again, as it is, and synced.
   * Returns whether that came about.
   */
  async #settle(file: File, payload: Uint8Array): Promise<boolean> {
    const sequence = this.#sequence;
    try {
      await writeFully(file, this.#encode(payload, sequence), (sequence % 2) * SLOT_BYTES);
      await file.sync();
      return true;
    } catch {
      await this.#giveUp();
    }
    try {
      await this.#replace(payload);
      return true;
    } catch {
      // Where there is no room for a new file now, the next write tries again.
      return false;
    }
  }

  /** Resolves when the state is durable. Calls must not overlap. @throws LogClosed | OwnershipLost */
  async write(payload: Uint8Array): Promise<void> {
    if (this.#closed) throw new LogClosed(this.#path);
    const confirmed = this.#confirmOwner();
    if (confirmed) await confirmed;
    if (this.#file === undefined || this.#suspect) {
      await this.#replace(payload);
      return;
    }
    const sequence = this.#sequence + 1;
    try {
      await writeFully(this.#file, this.#encode(payload, sequence), (sequence % 2) * SLOT_BYTES);
      await this.#file.sync();
      this.#sequence = sequence;
    } catch (error) {
      await this.#giveUp();
      throw error;
    }
  }

  /** Lets go of the file: it is not to be written or synced again, and its descriptor may be wanted elsewhere. */
  async #giveUp(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#suspect = true;
    await file?.close().catch(() => {});
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#closed = true;
    await file?.close();
  }

  /** Both slots written into a new file that takes the place of the old one in one rename. */
  async #replace(payload: Uint8Array): Promise<void> {
    const temporary = `${this.#path}.new`;
    if (await this.#fileSystem.stat(temporary)) await this.#fileSystem.remove(temporary);
    const file = await this.#fileSystem.open(temporary, 'create');
    const sequence = this.#sequence + 2;
    try {
      const both = Buffer.alloc(2 * SLOT_BYTES);
      both.set(this.#encode(payload, sequence), (sequence % 2) * SLOT_BYTES);
      both.set(this.#encode(payload, sequence - 1), ((sequence - 1) % 2) * SLOT_BYTES);
      await writeFully(file, both, 0);
      await file.sync();
      // Not over the file of an owner who came while this process was stopped.
      await this.#confirmOwner();
      await this.#fileSystem.rename(temporary, this.#path);
      await this.#fileSystem.syncDirectory(this.#directory);
    } catch (error) {
      this.#suspect = true;
      await file.close();
      throw error;
    }
    const old = this.#file;
    this.#file = file;
    this.#sequence = sequence;
    this.#suspect = false;
    await old?.close();
  }

  /** A later version may sum its slots in another way: where both slots agree on one, this is no damage. */
  #refuseNewer(bytes: Buffer): void {
    const [version, other] = [0, SLOT_BYTES].map((at) =>
      bytes.readUInt32LE(at) === this.#magic ? bytes.readUInt16LE(at + 4) : 0,
    );
    if (version === other && version! > SLOT_VERSION) {
      throw new NewerFormat(this.#path, version!, SLOT_VERSION);
    }
  }

  #encode(payload: Uint8Array, sequence: number): Buffer {
    if (payload.length > SLOT_PAYLOAD_MAX_BYTES)
      throw new RangeError(`a slot holds ${SLOT_PAYLOAD_MAX_BYTES} bytes`);
    const slot = Buffer.alloc(SLOT_BYTES);
    slot.writeUInt32LE(this.#magic, 0);
    slot.writeUInt16LE(SLOT_VERSION, 4);
    slot.writeUInt16LE(payload.length, 6);
    writeOffset(slot, sequence, 8);
    slot.set(payload, SLOT_HEADER_BYTES);
    slot.writeUInt32LE(checksum(slot, payload.length), 16);
    return slot;
  }

  #decode(bytes: Buffer, at: number): Slot | undefined {
    const slot = bytes.subarray(at, at + SLOT_BYTES);
    const length = slot.readUInt16LE(6);
    if (slot.readUInt32LE(0) !== this.#magic || length > SLOT_PAYLOAD_MAX_BYTES) return undefined;
    if (checksum(slot, length) !== slot.readUInt32LE(16)) return undefined;
    const version = slot.readUInt16LE(4);
    if (version > SLOT_VERSION) throw new NewerFormat(this.#path, version, SLOT_VERSION);
    return {
      sequence: readOffset(slot, 8),
      payload: slot.subarray(SLOT_HEADER_BYTES, SLOT_HEADER_BYTES + length),
    };
  }
}

function checksum(slot: Buffer, payloadBytes: number): number {
  return crc32(
    slot.subarray(SLOT_HEADER_BYTES, SLOT_HEADER_BYTES + payloadBytes),
    crc32(slot.subarray(0, 16)),
  );
}

/** One slot as it stands in a file, damaged or not. */
export interface SlotView {
  readonly slot: number;
  /** `empty`: never written. */
  readonly state: 'intact' | 'damaged' | 'empty';
  readonly magic: string;
  readonly version: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** Both slots of a two-slot file, for whoever looks at it without owning it. */
export function viewSlots(bytes: Buffer): SlotView[] {
  return [0, 1].map((slot) => {
    const view = Buffer.alloc(SLOT_BYTES);
    bytes.copy(view, 0, slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES);
    const length = Math.min(view.readUInt16LE(6), SLOT_PAYLOAD_MAX_BYTES);
    const intact = length === view.readUInt16LE(6) && checksum(view, length) === view.readUInt32LE(16);
    return {
      slot,
      state: view.every((byte) => byte === 0) ? 'empty' : intact ? 'intact' : 'damaged',
      magic: view.toString('latin1', 0, 4),
      version: view.readUInt16LE(4),
      sequence: intact ? readOffset(view, 8) : 0,
      payload: view.subarray(SLOT_HEADER_BYTES, SLOT_HEADER_BYTES + length),
    };
  });
}
