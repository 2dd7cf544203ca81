// What a directory that cannot be used is told as.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DirectoryUnusable, Log } from '../../buffer/index.ts';
import { LogOnMemory } from './log_on_memory.ts';
import { systemError } from './memory_file_system.ts';

describe('a directory that cannot be used', () => {
  it.each([
    ['EROFS', /read-only; mount it writable/, false],
    ['EACCES', /may not write there/, false],
    ['EMFILE', /no file descriptors left; raise `ulimit -n`/, true],
    ['ENFILE', /the system has no file descriptors/, true],
    ['ENOSPC', /no space left on the disk/, true],
  ])('for %s is refused with what to do', async (code, message, retryable) => {
    const on = new LogOnMemory();
    on.fileSystem.hook = (operation) => {
      if (operation === 'open') throw systemError(code);
    };
    const error = await on.open().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DirectoryUnusable);
    expect(error).toMatchObject({ code: 'HF_BUFFER_DIRECTORY_UNUSABLE', retryable, cause: { code } });
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain('/log');
    on.fileSystem.hook = () => {};
    await (await on.open()).close();
  });

  it('for EIO says what the disk said', async () => {
    const on = new LogOnMemory();
    on.fileSystem.hook = (operation) => {
      if (operation === 'open') throw systemError('EIO');
    };
    await expect(on.open()).rejects.toMatchObject({ code: 'EIO' });
  });

  it('is so on a real disk too: a file in the way, and, but for root, rights that are missing', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-directory-'));
    try {
      await writeFile(path.join(folder, 'file'), '');
      const inTheWay = Log.open({ directory: path.join(folder, 'file', 'log') });
      await expect(inTheWay).rejects.toMatchObject({ code: 'HF_BUFFER_DIRECTORY_UNUSABLE' });
      await chmod(folder, 0o500);
      if (process.getuid?.() === 0) return;
      const forbidden = Log.open({ directory: path.join(folder, 'log') });
      await expect(forbidden).rejects.toMatchObject({ code: 'HF_BUFFER_DIRECTORY_UNUSABLE' });
    } finally {
      await chmod(folder, 0o700);
      await rm(folder, { recursive: true });
    }
  });
});
