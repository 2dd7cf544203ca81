// What a disk holds and what it would hold after a power cut: every file has a live image (the page cache) and a durable
// one, every directory its live names and the operations on them that are not durable yet. No time, no ports, no faults.
// Invariant: `powerCut` keeps all that was synced and, of the rest, whatever subset the chooser picks.

import { emptyImage } from './image.ts';

export const SECTOR_BYTES = 512;

/** Decides what survives: a number in 0 … options − 1. Seeded chance, or the enumeration of all answers. */
export interface Chooser {
  pick(options: number): number;
}

let changes = 0;

/** Changes of all disks so far. The same number twice: a crash now leaves what one would have left then. */
export function changesSoFar(): number {
  return changes;
}

export class FileNode {
  readonly kind = 'file';
  readonly id: number;
  #live = emptyImage();
  live_bytes = 0;
  #disk = emptyImage();
  disk_bytes = 0;
  /** Sectors of the live image that are not known to be durable. */
  readonly dirty = new Set<number>();
  /** Sectors on their way to the disk: durable once the sync that took them completes. */
  readonly #syncing = new Set<number>();
  /** Every sync of the file fails from now on. */
  syncFails = false;
  /** A sync failed, and said so. */
  syncFailed = false;

  constructor(id: number) {
    this.id = id;
  }

  clone(): FileNode {
    const copy = new FileNode(this.id);
    copy.#live = this.#live.share();
    copy.live_bytes = this.live_bytes;
    copy.#disk = this.#disk.share();
    copy.disk_bytes = this.disk_bytes;
    for (const sector of this.dirty) copy.dirty.add(sector);
    for (const sector of this.#syncing) copy.#syncing.add(sector);
    copy.syncFails = this.syncFails;
    copy.syncFailed = this.syncFailed;
    return copy;
  }

  /** What a process sees; zero from `live_bytes` on. Not to be written to. */
  get live(): Buffer {
    return this.#live.bytes;
  }

  /** What is durable; zero from `disk_bytes` on. Not to be written to. */
  get disk(): Buffer {
    return this.#disk.bytes;
  }

  /**
   * What is read past the page cache. What is dirty there goes to the disk before; where a sync failed, pages may look clean
   * and hold what the disk does not.
   */
  readDirect(into: Uint8Array, position: number, bytes: number): void {
    into.set(this.live.subarray(position, position + bytes));
    if (!this.syncFailed) return;
    for (let at = position; at < position + bytes; at += SECTOR_BYTES) {
      const sector = Math.floor(at / SECTOR_BYTES);
      if (this.dirty.has(sector) || this.#syncing.has(sector)) continue;
      const to = Math.min(at + SECTOR_BYTES, position + bytes);
      into.fill(0, at - position, to - position);
      if (at < this.disk_bytes)
        into.set(this.disk.subarray(at, Math.min(to, this.disk_bytes)), at - position);
    }
  }

  /** Of what a process sees. */
  digest(): string {
    return `${this.live_bytes} ${this.#live.digest(this.live_bytes)}`;
  }

  /** Nobody looks at the file any more. */
  release(): void {
    this.#live.drop();
    this.#disk.drop();
    this.#live = emptyImage();
    this.#disk = emptyImage();
    this.live_bytes = 0;
    this.disk_bytes = 0;
  }

  write(bytes: Uint8Array, position: number): void {
    changes += 1;
    const end = position + bytes.length;
    this.#live = this.#live.own(end);
    this.live.set(bytes, position);
    // What lies between the old end and the write is new as well.
    this.#touch(Math.min(position, this.live_bytes), end);
    this.live_bytes = Math.max(this.live_bytes, end);
  }

  truncate(size: number): void {
    changes += 1;
    this.#live = this.#live.own(size);
    if (size < this.live_bytes) this.live.fill(0, size, this.live_bytes);
    this.#touch(Math.min(size, this.live_bytes), Math.max(size, this.live_bytes));
    this.live_bytes = size;
  }

  /** Of all that is dirty, or of what lies in [from, to). */
  beginSync(from = 0, to = Number.POSITIVE_INFINITY): void {
    for (const sector of this.dirty) {
      if (sector * SECTOR_BYTES < from || sector * SECTOR_BYTES >= to) continue;
      this.#syncing.add(sector);
      this.dirty.delete(sector);
    }
  }

  endSync(): void {
    this.persist(this.#syncing);
    this.#syncing.clear();
  }

  /** Damage at rest: the bit of the disk and of what is read of it. */
  flip(at: number, mask: number): void {
    changes += 1;
    this.#live = this.#live.own(this.live_bytes);
    this.live[at] = this.live[at]! ^ mask;
    if (at >= this.disk_bytes) return;
    this.#disk = this.#disk.own(this.disk_bytes);
    this.disk[at] = this.disk[at]! ^ mask;
  }

  /** The process that was syncing died: what was on its way may have arrived or not. */
  abandonSync(): void {
    for (const sector of this.#syncing) this.dirty.add(sector);
    this.#syncing.clear();
  }

  /** The sectors become durable as they are now. */
  persist(sectors: Iterable<number>): void {
    changes += 1;
    this.#disk = this.#disk.own(this.live_bytes);
    if (this.live_bytes < this.disk_bytes) this.disk.fill(0, this.live_bytes, this.disk_bytes);
    for (const sector of sectors) {
      const from = sector * SECTOR_BYTES;
      const to = Math.min(from + SECTOR_BYTES, this.live_bytes);
      if (from < to) this.live.copy(this.disk, from, from, to);
    }
    this.disk_bytes = this.live_bytes;
  }

  /** The live image forgets what never reached the disk, as some file systems do after a failed sync. */
  revert(): void {
    changes += 1;
    this.#showDisk();
    this.dirty.clear();
  }

  powerCut(choose: Chooser): void {
    this.abandonSync();
    const sectors = [...this.dirty].sort((a, b) => a - b);
    this.dirty.clear();
    const size = this.#sizeAfter(choose);
    if (size !== this.disk_bytes || sectors.length > 0) this.#disk = this.#disk.own(size);
    if (this.live.length < size) this.#live = this.#live.own(size);
    // What comes to be read by a larger size than was synced holds nothing yet.
    if (size < this.disk_bytes) this.disk.fill(0, size, this.disk_bytes);
    for (const sector of sectors) {
      const from = sector * SECTOR_BYTES;
      if (from < size) this.#sectorAfter(from, Math.min(from + SECTOR_BYTES, size), choose);
    }
    this.disk_bytes = size;
    this.#showDisk();
    this.syncFails = false;
    this.syncFailed = false;
  }

  #showDisk(): void {
    this.#live.drop();
    this.#live = this.#disk.share();
    this.live_bytes = this.disk_bytes;
  }

  /** The old size, the new one, or, for a file that grew, any number of whole sectors between. */
  #sizeAfter(choose: Chooser): number {
    const { disk_bytes: old, live_bytes: now } = this;
    if (old === now) return now;
    const first = Math.floor(old / SECTOR_BYTES) + 1;
    const between = Math.max(0, Math.ceil(now / SECTOR_BYTES) - first);
    const picked = choose.pick(2 + between);
    if (picked === 0) return now;
    return picked === 1 ? old : (first + picked - 2) * SECTOR_BYTES;
  }

  /**
   * The bytes of a sector that changed come back new, old, as garbage or as zeros. Those that did not change are safe where
   * the sector was durable (README, "Assumptions about disks").
   */
  #sectorAfter(from: number, to: number, choose: Chooser): void {
    const { live, disk } = this;
    let first = from;
    let last = to;
    if (from < this.disk_bytes) {
      if (live.compare(disk, from, to, from, to) === 0) return;
      while (first < to && live[first] === disk[first]) first += 1;
      while (live[last - 1] === disk[last - 1]) last -= 1;
    }
    // Where the old bytes are zeros, old and zeros are one outcome.
    const fate = choose.pick(isZero(disk, first, last) ? 3 : 4);
    if (fate === 0) live.copy(disk, first, first, last);
    // 0x48 0x46 is a frame's magic: the worst garbage looks like what one hopes to find.
    else if (fate === 2) disk.set(GARBAGE.subarray(first - from, last - from), first);
    else if (fate === 3) disk.fill(0, first, last);
  }

  #touch(from: number, to: number): void {
    for (let sector = Math.floor(from / SECTOR_BYTES); sector * SECTOR_BYTES < to; sector++) {
      this.dirty.add(sector);
    }
  }
}

function isZero(image: Buffer, from: number, to: number): boolean {
  return image.compare(ZEROS, 0, to - from, from, to) === 0;
}

const ZEROS = Buffer.alloc(SECTOR_BYTES);

const GARBAGE = Buffer.from(
  Array.from({ length: SECTOR_BYTES }, (_, at) => (at % 7 === 0 ? 0x48 : 0x46 ^ ((at >> 3) & 0xff))),
);

interface DirectoryOperation {
  readonly removed: string | undefined;
  readonly added: string | undefined;
  readonly node: Node | undefined;
}

export class DirectoryNode {
  readonly kind = 'directory';
  readonly id: number;
  live = new Map<string, Node>();
  #disk = new Map<string, Node>();
  /** Operations since the last sync, in order. */
  pending: DirectoryOperation[] = [];

  constructor(id: number) {
    this.id = id;
  }

  /** `copies` holds what was copied already: a node can stand under two names while a rename is not durable. */
  clone(copies: Map<Node, Node>): DirectoryNode {
    const copy = new DirectoryNode(this.id);
    const of = (node: Node): Node => {
      const known = copies.get(node) ?? (node.kind === 'file' ? node.clone() : node.clone(copies));
      copies.set(node, known);
      return known;
    };
    for (const [name, node] of this.live) copy.live.set(name, of(node));
    for (const [name, node] of this.#disk) copy.#disk.set(name, of(node));
    copy.pending = this.pending.map((operation) => ({
      ...operation,
      node: operation.node && of(operation.node),
    }));
    return copy;
  }

  add(name: string, node: Node): void {
    this.#do({ removed: undefined, added: name, node });
  }

  remove(name: string): void {
    this.#do({ removed: name, added: undefined, node: undefined });
  }

  rename(from: string, to: string): void {
    this.#do({ removed: from, added: to, node: this.live.get(from)! });
  }

  /** The first `count` pending operations become durable. */
  persist(count: number): void {
    changes += count;
    for (const operation of this.pending.splice(0, count)) apply(this.#disk, operation);
  }

  powerCut(choose: Chooser): void {
    for (const operation of this.pending) {
      if (choose.pick(2) === 0) apply(this.#disk, operation);
    }
    this.pending = [];
    this.live = new Map(this.#disk);
    for (const node of this.live.values()) node.powerCut(choose);
  }

  #do(operation: DirectoryOperation): void {
    changes += 1;
    apply(this.live, operation);
    this.pending.push(operation);
  }
}

export type Node = FileNode | DirectoryNode;

function apply(names: Map<string, Node>, operation: DirectoryOperation): void {
  if (operation.removed !== undefined) names.delete(operation.removed);
  if (operation.added !== undefined && operation.node) names.set(operation.added, operation.node);
}

const paths = new Map<string, string[]>();
const PATHS_MAX = 10_000;

/** The names that a path consists of: the same few are asked for thousands of times. */
function namesOf(path: string): string[] {
  let names = paths.get(path);
  if (!names) {
    names = path.split('/').filter((name) => name !== '');
    if (paths.size >= PATHS_MAX) paths.clear();
    paths.set(path, names);
  }
  return names;
}

export class Disk {
  readonly root: DirectoryNode;
  /** Bytes that all files together may take. */
  capacity_bytes = Number.MAX_SAFE_INTEGER;
  #ids = 0;

  constructor(root = new DirectoryNode(0), ids = 0) {
    this.root = root;
    this.#ids = ids;
  }

  /** The same disk again, to be cut off in another way. */
  clone(): Disk {
    const copy = new Disk(this.root.clone(new Map()), this.#ids);
    copy.capacity_bytes = this.capacity_bytes;
    return copy;
  }

  newFile(): FileNode {
    return new FileNode(++this.#ids);
  }

  newDirectory(): DirectoryNode {
    return new DirectoryNode(++this.#ids);
  }

  /** The node at an absolute path, as a running process sees it. */
  find(path: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (const name of namesOf(path)) {
      node = node?.kind === 'directory' ? node.live.get(name) : undefined;
    }
    return node;
  }

  /** All files with their paths, in the order of their creation within a directory. */
  files(): { path: string; file: FileNode }[] {
    const found: { path: string; file: FileNode }[] = [];
    const walk = (directory: DirectoryNode, path: string): void => {
      for (const [name, node] of directory.live) {
        if (node.kind === 'file') found.push({ path: `${path}/${name}`, file: node });
        else walk(node, `${path}/${name}`);
      }
    };
    walk(this.root, '');
    return found;
  }

  /** Of all that a process could see, the order of names included. Two disks after a power cut that have the same are one. */
  fingerprint(): string {
    const of = ({ live }: DirectoryNode): string =>
      [...live]
        .map(([name, node]) => `${name} ${node.kind === 'file' ? node.digest() : `(${of(node)})`}`)
        .join();
    return of(this.root);
  }

  get used_bytes(): number {
    return this.files().reduce((sum, { file }) => sum + file.live_bytes, 0);
  }

  /** The disk is done with: what its files took serves others. */
  release(): void {
    for (const { file } of this.files()) file.release();
  }

  powerCut(choose: Chooser): void {
    this.root.powerCut(choose);
  }

  /** The process died and the machine goes on: the page cache stays as it is. */
  processDied(): void {
    for (const { file } of this.files()) file.abandonSync();
  }
}
