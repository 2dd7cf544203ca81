// The key of a log whose owner file is lost. It stands in both slots of every shard's ledger too, and since it is XORed into
// checksums, an intact frame gives it away to whoever knows that the frame is one: the first of a segment, of which the
// file name says the offset. Invariant: a key is believed only where no other has as many witnesses; nothing is changed.

import { crc32 } from 'node:zlib';
import { unpack } from './compression.ts';
import { KeyLost } from './errors.ts';
import { EntryCursor, FRAME_HEADER_BYTES, FRAME_VERSION, isPacked, readFrameHeader } from './frame.ts';
import { type FrameKey, formatKey, parseKey } from './frame_key.ts';
import { Ledger } from './ledger.ts';
import { isStreamName, segmentBase } from './names.ts';
import { zstdInLine } from './ports/codec.ts';
import type { File, FileSystem } from './ports/file_system.ts';
import { TwoSlotFile } from './two_slot.ts';
import { readFully } from './whole_io.ts';

const FRAME_MAX_BYTES = 256 * 1024 * 1024;

/**
 * The key by the ledgers, else by the first frames of segments. Undefined where there is no frame yet, so that any will do.
 * @throws KeyLost
 */
export async function findKey(fileSystem: FileSystem, directory: string): Promise<FrameKey | undefined> {
  const shards = await shardsOf(fileSystem, directory);
  const votes = new Map<string, number>();
  for (const shard of shards) {
    const key = await ledgerKey(fileSystem, shard);
    if (key) vote(votes, key, 1);
  }
  if (votes.size > 0) return winner(votes, directory);
  let data = false;
  for (const shard of shards) {
    for (const name of await fileSystem.list(shard)) {
      const base = segmentBase(name);
      if (base === undefined) continue;
      const found = await segmentKey(fileSystem, `${shard}/${name}`, base);
      data ||= found.bytes > 0;
      if (found.key) vote(votes, found.key, found.witnesses);
    }
  }
  return data ? winner(votes, directory) : undefined;
}

/** Whether a shard below the directory has an intact ledger: the directory is a log, whatever else is lost. */
export async function holdsLedger(fileSystem: FileSystem, directory: string): Promise<boolean> {
  for (const shard of await shardsOf(fileSystem, directory)) {
    if (await ledgerKey(fileSystem, shard)) return true;
  }
  return false;
}

/** The key that the ledger of a shard holds, if it is intact. */
export async function ledgerKey(fileSystem: FileSystem, shard: string): Promise<FrameKey | undefined> {
  const file = new TwoSlotFile(fileSystem, shard, 'ledger', 'HFLG');
  try {
    const { payload } = await file.open('read');
    return payload && Ledger.decode(payload).key;
  } finally {
    await file.close();
  }
}

/** What the first frame of a segment says of the key, if it is whole; the second is a further witness. */
export async function segmentKey(
  fileSystem: FileSystem,
  path: string,
  base: number,
): Promise<{ bytes: number; key: FrameKey | undefined; witnesses: number }> {
  const file = await fileSystem.open(path, 'read');
  try {
    const bytes = await file.size();
    const first = await frameBytes(file, 0, bytes);
    const key = first && (await keyOf(first, base));
    if (!key) return { bytes, key: undefined, witnesses: 0 };
    const second = await frameBytes(file, first.length, bytes);
    const agrees = second !== undefined && readFrameHeader(second, 0, key) !== undefined;
    return { bytes, key, witnesses: agrees ? 2 : 1 };
  } finally {
    await file.close();
  }
}

export async function shardsOf(fileSystem: FileSystem, directory: string): Promise<string[]> {
  const shards: string[] = [];
  for (const stream of (await fileSystem.list(directory)).sort()) {
    const path = `${directory}/${stream}`;
    if (!isStreamName(stream) || !(await fileSystem.stat(path))?.directory) continue;
    const names = new Set(await fileSystem.list(path));
    for (let index = 0; names.has(String(index)); index++) {
      if ((await fileSystem.stat(`${path}/${index}`))?.directory) shards.push(`${path}/${index}`);
    }
  }
  return shards;
}

async function frameBytes(file: File, position: number, end: number): Promise<Buffer | undefined> {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  if ((await readFully(file, header, position)) < FRAME_HEADER_BYTES) return undefined;
  const bytes = FRAME_HEADER_BYTES + header.readUInt32LE(4);
  if (position + bytes > end || bytes > FRAME_MAX_BYTES) return undefined;
  const frame = Buffer.alloc(bytes);
  return (await readFully(file, frame, position)) === bytes ? frame : undefined;
}

/** The key under which these bytes are a frame that begins at `base` and whose body holds together. */
async function keyOf(frame: Buffer, base: number): Promise<FrameKey | undefined> {
  const body = frame.subarray(FRAME_HEADER_BYTES);
  const key = {
    header: (crc32(frame.subarray(0, 36)) ^ frame.readUInt32LE(36)) >>> 0,
    body: (crc32(body) ^ frame.readUInt32LE(32)) >>> 0,
  };
  const header = readFrameHeader(frame, 0, key);
  if (!header || frame[2] !== FRAME_VERSION || header.baseOffset !== base) return undefined;
  if (!isPacked(header)) return holdsTogether(frame, FRAME_HEADER_BYTES, header.count) ? key : undefined;
  const raw = await unpack(zstdInLine, body);
  return raw && holdsTogether(raw, 0, header.count) ? key : undefined;
}

/** Whether `count` entries reach from `at` to the end, neither more nor less. */
function holdsTogether(source: Buffer, at: number, count: number): boolean {
  const entries = new EntryCursor();
  entries.open(source, at, source.length - at);
  let found = 0;
  while (entries.next()) found += 1;
  return found === count && entries.end === source.length;
}

function vote(votes: Map<string, number>, key: FrameKey, weight: number): void {
  votes.set(formatKey(key), (votes.get(formatKey(key)) ?? 0) + weight);
}

function winner(votes: ReadonlyMap<string, number>, directory: string): FrameKey {
  const [first, second] = [...votes].sort(([, a], [, b]) => b - a);
  if (!first || second?.[1] === first[1]) throw new KeyLost(directory);
  return parseKey(first[0]);
}
