// buffer/two_slot.ts with what stands in the slots: offsets.ts, ledger.ts.

import { Ledger } from '../../../buffer/ledger.ts';
import { decodeOffsets, encodeOffsets } from '../../../buffer/offsets.ts';
import { SLOT_BYTES, TwoSlotFile, viewSlots } from '../../../buffer/two_slot.ts';
import { HoldfastError } from '../../../config/error.ts';
import { MemoryFileSystem } from '../../buffer/memory_file_system.ts';
import { type Parser, promise, refusedAs, type Verdict } from '../parser.ts';
import { ledgerFile, mutateSlot, offsetsFile, ownerFile } from './slots.ts';

export const twoSlotParser: Parser = {
  name: 'two_slot',
  promise: 'the newest intact state, or none, or a typed error; opening to write repairs and gives the same',
  seeds: [offsetsFile, ledgerFile, ownerFile, Buffer.alloc(0)],
  mutate: mutateSlot,
  inputMax_bytes: 8 * 1024,
  async check(input): Promise<Verdict> {
    const views = viewSlots(Buffer.concat([input, Buffer.alloc(2 * SLOT_BYTES)], 2 * SLOT_BYTES));
    const magic = input.toString('latin1', 0, 4);
    const intact = views.filter((view) => view.state === 'intact' && view.magic === magic);
    const disk = new MemoryFileSystem();
    disk.replace('/f', input);
    try {
      const read = await open(disk, magic, 'read');
      const newest = Math.max(...intact.map(({ sequence }) => sequence));
      promise((read === undefined) === (intact.length === 0), 'both sights of a file agree');
      const known = intact.some(({ payload, sequence }) => sequence === newest && payload.equals(read!));
      promise(read === undefined || known, 'a state that is not the newest');
      const settled = await open(disk, magic, 'write');
      promise(read?.toString('hex') === settled?.toString('hex'), 'opening changed the state');
      if (!read) return 'refused';
      checkPayload(magic, read);
      return 'accepted';
    } catch (error) {
      return refusedAs(error, HoldfastError);
    }
  },
};

async function open(
  disk: MemoryFileSystem,
  magic: string,
  mode: 'read' | 'write',
): Promise<Buffer | undefined> {
  const file = new TwoSlotFile(disk, '', 'f', magic.padEnd(4, '\0'));
  try {
    const { payload } = await file.open(mode);
    return payload && Buffer.from(payload);
  } finally {
    await file.close();
  }
}

function checkPayload(magic: string, payload: Buffer): void {
  if (magic === 'HFLG') {
    const ledger = Ledger.decode(payload);
    promise(ledger.ranges.list.length * 17 <= payload.length, 'ranges that do not stand there');
    ledger.encode();
  } else if (magic === 'HFOF') {
    const groups = decodeOffsets(payload);
    promise(groups.size * 10 <= payload.length, 'groups that do not stand there');
    encodeOffsets(groups.values(), 's/0');
  }
}
