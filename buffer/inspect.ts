// What stands in one file of a log, as it stands: frames and damaged bytes of a segment, slots of a state, points of an
// index. Invariant: it writes nothing and takes no lock, so the end of a file that is being written may look torn.

import { BlockPool } from './block_pool.ts';
import { FRAME_HEADER_BYTES, isPacked, PACKED_PREFIX_BYTES } from './frame.ts';
import { type FrameKey, NO_KEY, parseKey } from './frame_key.ts';
import { ledgerKey, segmentKey } from './key_search.ts';
import { Ledger } from './ledger.ts';
import { segmentBase } from './names.ts';
import { decodeOffsets } from './offsets.ts';
import { decodeOwner } from './owner_record.ts';
import { DIRECT_BLOCK_BYTES, type File, type FileSystem } from './ports/file_system.ts';
import { nodeFileSystem } from './ports/node_file_system.ts';
import { findNextFrame, loadFrame, type ScannedFile, Window } from './scan.ts';
import { decodeIndex } from './segment.ts';
import { TwoSlotFile, viewSlots } from './two_slot.ts';
import { readFully } from './whole_io.ts';

/** One line of what was found; `damage` covers bytes that are no intact frame and should be. */
export type Inspected =
  | {
      readonly kind: 'frame';
      readonly position: number;
      readonly bytes: number;
      readonly offset: number;
      readonly count: number;
      /** ISO 8601. */
      readonly time: string;
      readonly epoch: number;
      readonly watermark: number;
      readonly flags: number;
      readonly codec: 'none' | 'zstd';
      /** Bytes of the entries with their lengths and times, decompressed. */
      readonly raw_bytes: number;
    }
  | { readonly kind: 'damage'; readonly position: number; readonly bytes: number }
  /** Behind the last frame of a log that is at work or was killed: no commit has used it, and the next opening cuts it off. */
  | { readonly kind: 'unused'; readonly position: number; readonly bytes: number }
  | { readonly kind: 'point'; readonly position: number; readonly offset: number }
  | {
      readonly kind: 'slot';
      readonly slot: number;
      readonly state: 'intact' | 'damaged' | 'empty';
      readonly magic: string;
      readonly version: number;
      readonly sequence: number;
      /** Decoded; undefined unless the slot is intact. */
      readonly content: unknown;
    };

const INDEX_MAX_BYTES = 16 * 1024 * 1024;

/** Hands what stands in the file to `each`, in order; resolves with whether all of it is intact. */
export async function inspectFile(
  path: string,
  each: (found: Inspected) => void,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<boolean> {
  const file = await fileSystem.open(path, 'read');
  try {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const size = await file.size();
    if (name.endsWith('.index')) return await points(file, size, each);
    const begins = Buffer.alloc(4);
    await readFully(file, begins, 0);
    const state =
      /^(owner|ledger|offsets)(\.|$)/.test(name) || /^HF(OW|LG|OF)$/.test(begins.toString('latin1'));
    if (state) return await slots(file, each);
    return await frames(file, size, await keyFor(fileSystem, path), path, each);
  } finally {
    await file.close();
  }
}

async function frames(
  file: File,
  end: number,
  key: FrameKey,
  path: string,
  each: (found: Inspected) => void,
): Promise<boolean> {
  const window = new Window(new BlockPool(0), key, path);
  const from = { file, end };
  let whole = true;
  try {
    // What stands below was left by the segment that this one is written over.
    let least = 0;
    for (let position = 0; position < end; ) {
      const { header, bodyIntact } = await loadFrame(window, from, position);
      if (header && bodyIntact && header.baseOffset >= least) {
        const { baseOffset: offset, count, epoch, watermark, flags, timestamp } = header;
        const bytes = FRAME_HEADER_BYTES + header.bodyBytes;
        const time = new Date(timestamp).toISOString();
        const packed = isPacked(header);
        const raw_bytes =
          packed && header.bodyBytes >= PACKED_PREFIX_BYTES
            ? window.block!.memory.readUInt32LE(position - window.start + FRAME_HEADER_BYTES)
            : header.bodyBytes;
        const codec = packed ? ('zstd' as const) : ('none' as const);
        each({
          kind: 'frame',
          position,
          bytes,
          offset,
          count,
          time,
          epoch,
          watermark,
          flags,
          codec,
          raw_bytes,
        });
        position += bytes;
        least = offset + count;
        continue;
      }
      const behind = header ? position + FRAME_HEADER_BYTES + header.bodyBytes : position + 1;
      const next = await findNextFrame(window, from, behind, least, Number.MAX_SAFE_INTEGER);
      const kind =
        next === undefined && (await isUnused(window, from, position, least)) ? 'unused' : 'damage';
      each({ kind, position, bytes: (next ?? end) - position });
      if (kind === 'damage') whole = false;
      position = next ?? end;
    }
    return whole;
  } finally {
    window.release();
  }
}

/**
 * Whether the rest of a segment looks as direct commits leave it: the block in which they ended is filled up with zeros, and
 * behind it are zeros, or frames of the older segment that this one is written over. Only the ledger knows whether more was
 * promised, and that is what verify reads.
 * @param least offset below which a frame is an older segment's
 */
async function isUnused(
  window: Window,
  from: ScannedFile,
  position: number,
  least: number,
): Promise<boolean> {
  const zerosEnd = await endOfZeros(window, from, position);
  if (zerosEnd === from.end) return true;
  if (zerosEnd < Math.ceil(position / DIRECT_BLOCK_BYTES) * DIRECT_BLOCK_BYTES) return false;
  return (await findNextFrame(window, from, zerosEnd, 0, least)) !== undefined;
}

/** Position of the first byte from `position` on that is not zero, or the end. */
async function endOfZeros(window: Window, from: ScannedFile, position: number): Promise<number> {
  for (let at = position; at < from.end; ) {
    if (window.available(at) === 0) await window.load(from.file, at, from.end);
    const bytes = window.block!.memory.subarray(at - window.start, window.length);
    const found = bytes.findIndex((byte) => byte !== 0);
    if (found !== -1) return at + found;
    if (bytes.length === 0) return at;
    at += bytes.length;
  }
  return from.end;
}

async function points(file: File, size: number, each: (found: Inspected) => void): Promise<boolean> {
  const bytes = Buffer.alloc(Math.min(size, INDEX_MAX_BYTES));
  await readFully(file, bytes, 0);
  const told = bytes.length >= 32;
  const [base, covered] = told
    ? [Number(bytes.readBigUInt64LE(8)), Number(bytes.readBigUInt64LE(24))]
    : [0, 0];
  const index = decodeIndex(bytes, base, covered);
  if (!index) each({ kind: 'damage', position: 0, bytes: size });
  else for (const { offset, position } of index.points) each({ kind: 'point', offset, position });
  return index !== undefined;
}

async function slots(file: File, each: (found: Inspected) => void): Promise<boolean> {
  const bytes = Buffer.alloc(8192);
  await readFully(file, bytes, 0);
  const views = viewSlots(bytes);
  for (const { slot, state, magic, version, sequence, payload } of views) {
    const content = state === 'intact' ? contentOf(magic, payload) : undefined;
    each({ kind: 'slot', slot, state, magic, version, sequence, content });
  }
  return views.every(({ state }) => state === 'intact');
}

/** The key itself is not shown: whoever has it can make frames. */
function contentOf(magic: string, payload: Buffer): unknown {
  if (magic === 'HFOW') return { ...decodeOwner(payload), key: undefined };
  if (magic === 'HFOF') return [...decodeOffsets(payload).values()];
  if (magic !== 'HFLG') return undefined;
  const { key: _key, ranges, ...ledger } = Ledger.decode(payload);
  return { ...ledger, ranges: ranges.list };
}

/** Of the ledger beside the file or above its quarantine, else of the owner file, else as its first frame says. */
async function keyFor(fileSystem: FileSystem, path: string): Promise<FrameKey> {
  const slash = path.lastIndexOf('/');
  const shard = slash === -1 ? '.' : path.slice(0, slash) || '/';
  for (const directory of [shard, `${shard}/..`]) {
    const key = await ledgerKey(fileSystem, directory);
    if (key) return key;
  }
  const owner = new TwoSlotFile(fileSystem, `${shard}/../..`, 'owner', 'HFOW');
  const { payload } = await owner.open('read').finally(() => owner.close());
  if (payload) return parseKey(decodeOwner(payload).key);
  const base = segmentBase(path.slice(slash + 1)) ?? 0;
  return (await segmentKey(fileSystem, path, base)).key ?? NO_KEY;
}
