// What a disk holds and what it would hold after a power cut: every file has a live image (the page cache) and a durable
// one, every directory its live names and the operations on them that are not durable yet. No time, no ports, no faults.
// Invariant: `powerCut` keeps all that was synced and, of the rest, whatever subset the chooser picks.

export const SECTOR_BYTES = 512;

/** Decides what survives: a number in 0 … options − 1. Seeded chance, or the enumeration of all answers. */
export interface Chooser {
  pick(options: number): number;
}

export class FileNode {
  readonly kind = 'file';
  readonly id: number;
  live: Buffer = Buffer.alloc(0);
  live_bytes = 0;
  disk: Buffer = Buffer.alloc(0);
  disk_bytes = 0;
  /** Sectors of the live image that are not known to be durable. */
  readonly dirty = new Set<number>();
  /** Sectors on their way to the disk: durable once the sync that took them completes. */
  readonly #syncing = new Set<number>();
  /** Every sync of the file fails from now on. */
  syncFails = false;

  constructor(id: number) {
    this.id = id;
  }

  clone(): FileNode {
    const copy = new FileNode(this.id);
    copy.live = Buffer.from(this.live);
    copy.live_bytes = this.live_bytes;
    copy.disk = Buffer.from(this.disk);
    copy.disk_bytes = this.disk_bytes;
    for (const sector of this.dirty) copy.dirty.add(sector);
    for (const sector of this.#syncing) copy.#syncing.add(sector);
    copy.syncFails = this.syncFails;
    return copy;
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    this.live = grown(this.live, end);
    this.live.set(bytes, position);
    // What lies between the old end and the write is new as well.
    this.#touch(Math.min(position, this.live_bytes), end);
    this.live_bytes = Math.max(this.live_bytes, end);
  }

  truncate(size: number): void {
    if (size > this.live_bytes) this.live = grown(this.live, size);
    else this.live.fill(0, size, this.live_bytes);
    this.#touch(Math.min(size, this.live_bytes), Math.max(size, this.live_bytes));
    this.live_bytes = size;
  }

  beginSync(): void {
    for (const sector of this.dirty) this.#syncing.add(sector);
    this.dirty.clear();
  }

  endSync(): void {
    this.persist(this.#syncing);
    this.#syncing.clear();
  }

  /** The process that was syncing died: what was on its way may have arrived or not. */
  abandonSync(): void {
    for (const sector of this.#syncing) this.dirty.add(sector);
    this.#syncing.clear();
  }

  /** The sectors become durable as they are now. */
  persist(sectors: Iterable<number>): void {
    for (const sector of sectors) {
      const from = sector * SECTOR_BYTES;
      this.disk = grown(this.disk, from + SECTOR_BYTES);
      this.live = grown(this.live, from + SECTOR_BYTES);
      this.live.copy(this.disk, from, from, from + SECTOR_BYTES);
    }
    this.disk_bytes = this.live_bytes;
  }

  /** The live image forgets what never reached the disk, as some file systems do after a failed sync. */
  revert(): void {
    this.live = Buffer.alloc(this.disk_bytes);
    this.disk.copy(this.live, 0, 0, this.disk_bytes);
    this.live_bytes = this.disk_bytes;
    this.dirty.clear();
  }

  powerCut(choose: Chooser): void {
    this.abandonSync();
    const sectors = [...this.dirty].sort((a, b) => a - b);
    this.dirty.clear();
    const size = this.#sizeAfter(choose);
    const image = Buffer.alloc(Math.ceil(size / SECTOR_BYTES) * SECTOR_BYTES);
    this.disk.copy(image, 0, 0, Math.min(this.disk_bytes, image.length));
    for (const sector of sectors) {
      const from = sector * SECTOR_BYTES;
      if (from < size) this.#sectorAfter(image, from, choose);
    }
    this.live = image;
    this.live_bytes = size;
    this.disk = Buffer.from(image);
    this.disk_bytes = size;
    this.syncFails = false;
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
  #sectorAfter(image: Buffer, from: number, choose: Chooser): void {
    const length = Math.min(SECTOR_BYTES, image.length - from);
    const target = image.subarray(from, from + length);
    const now = Buffer.alloc(length);
    this.live.copy(now, 0, from, from + length);
    let first = 0;
    let last = length;
    if (from < this.disk_bytes) {
      while (first < length && now[first] === target[first]) first += 1;
      while (last > first && now[last - 1] === target[last - 1]) last -= 1;
      if (first === last) return;
    }
    const fate = choose.pick(4);
    if (fate === 0) now.copy(target);
    // 0x48 0x46 is a frame's magic: the worst garbage looks like what one hopes to find.
    for (let at = first; at < last && fate === 2; at++) target[at] = at % 7 === 0 ? 0x48 : 0x46 ^ (at >> 3);
    if (fate === 3) target.fill(0, first, last);
  }

  #touch(from: number, to: number): void {
    for (let sector = Math.floor(from / SECTOR_BYTES); sector * SECTOR_BYTES < to; sector++) {
      this.dirty.add(sector);
    }
  }
}

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
    apply(this.live, operation);
    this.pending.push(operation);
  }
}

export type Node = FileNode | DirectoryNode;

function apply(names: Map<string, Node>, operation: DirectoryOperation): void {
  if (operation.removed !== undefined) names.delete(operation.removed);
  if (operation.added !== undefined && operation.node) names.set(operation.added, operation.node);
}

function grown(buffer: Buffer, bytes: number): Buffer {
  if (buffer.length >= bytes) return buffer;
  const larger = Buffer.alloc(Math.max(bytes, 2 * buffer.length, SECTOR_BYTES));
  buffer.copy(larger);
  return larger;
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
    for (const name of path.split('/')) {
      if (name === '') continue;
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

  get used_bytes(): number {
    return this.files().reduce((sum, { file }) => sum + file.live_bytes, 0);
  }

  powerCut(choose: Chooser): void {
    this.root.powerCut(choose);
  }

  /** The process died and the machine goes on: the page cache stays as it is. */
  processDied(): void {
    for (const { file } of this.files()) file.abandonSync();
  }
}
