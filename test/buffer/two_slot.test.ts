// The small states that must survive anything: damage to either slot, torn writes, failing syncs, newer versions.

import { crc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LogClosed, NewerFormat } from '../../buffer/errors.ts';
import { SLOT_BYTES, SLOT_PAYLOAD_MAX_BYTES, TwoSlotFile } from '../../buffer/two_slot.ts';
import { MemoryFileSystem, systemError } from './memory_file_system.ts';
import { ObservedFileSystem } from './observed_file_system.ts';

const PATH = '/dir/state';

async function disk(): Promise<{
  memory: MemoryFileSystem;
  observed: ObservedFileSystem;
  file: () => TwoSlotFile;
}> {
  const memory = new MemoryFileSystem();
  await memory.makeDirectory('/dir');
  const observed = new ObservedFileSystem(memory);
  return { memory, observed, file: () => new TwoSlotFile(observed, '/dir', 'state', 'TEST') };
}

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

/** What is on disk after these states were written one after the other. */
async function written(...states: readonly string[]): Promise<Awaited<ReturnType<typeof disk>>> {
  const on = await disk();
  const file = on.file();
  await file.open();
  for (const state of states) await file.write(bytes(state));
  await file.close();
  return on;
}

async function read(file: TwoSlotFile): Promise<{ text: string | undefined; damaged: boolean }> {
  const { payload, damaged } = await file.open();
  await file.close();
  return { text: payload?.toString('utf8'), damaged };
}

describe('TwoSlotFile', () => {
  it('says that nothing was ever written, and that this is no damage', async () => {
    const { file, memory } = await disk();
    expect(await read(file())).toEqual({ text: undefined, damaged: false });
    memory.replace(PATH, Buffer.alloc(0));
    expect(await read(file())).toEqual({ text: undefined, damaged: false });
    memory.replace(PATH, Buffer.alloc(2 * SLOT_BYTES));
    expect(await read(file())).toEqual({ text: undefined, damaged: false });
  });

  it('gives back the last of any number of states', async () => {
    for (let states = 1; states < 6; states++) {
      const on = await written(...Array.from({ length: states }, (_, index) => `state ${index}`));
      expect(await read(on.file())).toEqual({ text: `state ${states - 1}`, damaged: false });
      expect(on.memory.bytes(PATH).length).toBe(2 * SLOT_BYTES);
    }
  });

  it('goes on after reopening, and never writes the slot that holds the newest state', async () => {
    const on = await written('one');
    let newest = 'one';
    for (const next of ['two', 'three', 'four']) {
      const before = Buffer.from(on.memory.bytes(PATH));
      const file = on.file();
      await file.open();
      await file.write(bytes(next));
      await file.close();
      const after = on.memory.bytes(PATH);
      const changed = [0, 1].filter(
        (slot) =>
          !before
            .subarray(slot * SLOT_BYTES)
            .subarray(0, SLOT_BYTES)
            .equals(after.subarray(slot * SLOT_BYTES).subarray(0, SLOT_BYTES)),
      );
      expect(changed).toHaveLength(1);
      const untouched = after.subarray((1 - changed[0]!) * SLOT_BYTES).subarray(0, SLOT_BYTES);
      expect(untouched.includes(newest)).toBe(true);
      newest = next;
    }
  });

  it('falls back to the state before where the newest slot is damaged at any byte, and says so', async () => {
    const on = await written('old', 'older', 'before', 'newest');
    const whole = Buffer.from(on.memory.bytes(PATH));
    const newestAt = whole.indexOf('newest') < SLOT_BYTES ? 0 : SLOT_BYTES;
    const used = 20 + 'newest'.length;
    for (let at = 0; at < used; at++) {
      on.memory.replace(PATH, whole);
      on.memory.bytes(PATH)[newestAt + at]! ^= 0x40;
      expect(await read(on.file())).toEqual({ text: 'before', damaged: true });
    }
    for (let at = 0; at < 20 + 'before'.length; at++) {
      on.memory.replace(PATH, whole);
      on.memory.bytes(PATH)[SLOT_BYTES - newestAt + at]! ^= 0x40;
      expect(await read(on.file())).toEqual({ text: 'newest', damaged: true });
    }
  });

  it('survives a write that is torn at any sector', async () => {
    const on = await written('first', 'second');
    const before = Buffer.from(on.memory.bytes(PATH));
    const file = on.file();
    await file.open();
    await file.write(Buffer.alloc(SLOT_PAYLOAD_MAX_BYTES, 0x5a));
    await file.close();
    const after = Buffer.from(on.memory.bytes(PATH));
    for (let sectors = 0; sectors < 8; sectors++) {
      const torn = Buffer.from(before);
      const at = after.subarray(0, SLOT_BYTES).equals(before.subarray(0, SLOT_BYTES)) ? SLOT_BYTES : 0;
      after.copy(torn, at, at, at + 512 * sectors);
      on.memory.replace(PATH, torn);
      expect((await read(on.file())).text).toBe('second');
    }
  });

  it('tells damage where both slots are gone, and takes a new state all the same', async () => {
    const on = await written('a', 'b');
    on.memory.bytes(PATH)[3]! ^= 1;
    on.memory.bytes(PATH)[SLOT_BYTES + 3]! ^= 1;
    const file = on.file();
    expect(await file.open()).toMatchObject({ payload: undefined, damaged: true });
    await file.write(bytes('new'));
    await file.close();
    expect(await read(on.file())).toEqual({ text: 'new', damaged: false });
    expect(on.observed.openFiles.size).toBe(0);
  });

  it('refuses a newer version and leaves it untouched, also where that sums its slots in another way', async () => {
    for (const valid of [true, false]) {
      const on = await written('a', 'b');
      const content = on.memory.bytes(PATH);
      for (const at of [0, SLOT_BYTES]) {
        content.writeUInt16LE(2, at + 4);
        const payload = content.subarray(at + 20, at + 20 + content.readUInt16LE(at + 6));
        const sum = crc32(payload, crc32(content.subarray(at, at + 16)));
        if (valid) content.writeUInt32LE(sum, at + 16);
      }
      const before = Buffer.from(content);
      await expect(on.file().open()).rejects.toBeInstanceOf(NewerFormat);
      expect(on.memory.bytes(PATH).equals(before)).toBe(true);
      expect(on.observed.openFiles.size).toBe(0);
    }
  });

  it('takes a version that is damaged in one slot for damage', async () => {
    const on = await written('a', 'b');
    on.memory.bytes(PATH).writeUInt16LE(2, 4);
    expect((await read(on.file())).damaged).toBe(true);
  });

  it('throws nothing but its own errors on any bytes, and never believes them', async () => {
    const on = await disk();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2 * SLOT_BYTES + 100 }), async (random) => {
        on.memory.replace(PATH, random);
        const { payload } = await on.file().open();
        expect(payload).toBeUndefined();
      }),
      { numRuns: 200 },
    );
    expect(on.observed.openFiles.size).toBe(0);
  });

  it('gives a state that was written, or none, when any bytes of the file are changed', async () => {
    const on = await written('alpha', 'beta');
    const whole = Buffer.from(on.memory.bytes(PATH));
    const edit = fc.tuple(fc.nat(2 * SLOT_BYTES - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { maxLength: 40 }), fc.nat(2 * SLOT_BYTES), async (edits, length) => {
        const changed = Buffer.from(whole);
        for (const [at, value] of edits) changed[at] = value;
        on.memory.replace(PATH, changed.subarray(0, length));
        try {
          const { text } = await read(on.file());
          expect([undefined, 'alpha', 'beta']).toContain(text);
        } catch (error) {
          expect(error).toBeInstanceOf(NewerFormat);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('never syncs a file again whose sync failed: the next state goes into a new one', async () => {
    const on = await written('first');
    const file = on.file();
    await file.open();
    let failing = 0;
    on.observed.hook = (operation, _, handle) => {
      if (operation !== 'sync' || failing !== 0) return;
      failing = handle;
      throw systemError('EIO');
    };
    await expect(file.write(bytes('second'))).rejects.toThrow('EIO');
    const before = on.observed.operations.length;
    await file.write(bytes('third'));
    const after = on.observed.operations.slice(before);
    expect(after.some((done) => done.operation === 'sync' && done.handle === failing)).toBe(false);
    expect(after.map((done) => done.operation)).toContain('rename');
    await file.close();
    expect(await read(on.file())).toEqual({ text: 'third', damaged: false });
    expect(on.observed.openFiles.size).toBe(0);
  });

  it('keeps the old state and its file where the new file cannot be made durable, and heals', async () => {
    for (const step of ['open', 'write', 'sync', 'rename', 'syncDirectory'] as const) {
      const on = await written('kept');
      const file = on.file();
      await file.open();
      let failures = 2;
      on.observed.hook = (operation, path) => {
        const first = failures === 2 && operation === 'write';
        const second =
          failures === 1 &&
          operation === step &&
          (step === 'syncDirectory' || path.endsWith('.new') || step === 'rename');
        if (!first && !second) return;
        failures -= 1;
        throw systemError('EIO');
      };
      await expect(file.write(bytes('lost'))).rejects.toThrow('EIO');
      await expect(file.write(bytes('lost too'))).rejects.toThrow('EIO');
      expect(failures).toBe(0);
      expect(['kept', 'lost too']).toContain((await read(on.file())).text);
      await file.write(bytes('healed'));
      await file.close();
      expect(await read(on.file())).toEqual({ text: 'healed', damaged: false });
      expect(on.observed.openFiles.size).toBe(0);
    }
  });

  it('needs no free space to replace a state', async () => {
    const on = await written('first');
    on.memory.capacity_bytes = 0;
    const file = on.file();
    await file.open();
    for (let state = 0; state < 5; state++) await file.write(bytes(`full ${state}`));
    await file.close();
    expect((await read(on.file())).text).toBe('full 4');
  });

  it('refuses a payload that no slot holds', async () => {
    const on = await written('first');
    const file = on.file();
    await file.open();
    await expect(file.write(Buffer.alloc(SLOT_PAYLOAD_MAX_BYTES + 1))).rejects.toBeInstanceOf(RangeError);
    await file.close();
  });

  it('writes nothing once it is closed', async () => {
    const on = await written('last');
    const file = on.file();
    await file.open();
    await file.close();
    await expect(file.write(bytes('too late'))).rejects.toBeInstanceOf(LogClosed);
    expect((await read(on.file())).text).toBe('last');
  });
});
