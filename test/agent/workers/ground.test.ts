import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { logDirectory, takeGround, workerLogs } from '../../../agent/workers/ground.ts';
import { Log } from '../../../buffer/index.ts';
import { WORKERS_DIRECTORY } from '../../../buffer/names.ts';
import { nodeFileSystem } from '../../../buffer/ports/node_file_system.ts';
import { removeDirectory, temporaryDirectory } from '../../e2e/temporary.ts';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  removeDirectory(directory);
});

describe('the folder of the workers', () => {
  it('is not there for an agent without workers, nor is the directory before the first start', async () => {
    expect(await workerLogs(nodeFileSystem, directory)).toEqual([]);
    expect(await workerLogs(nodeFileSystem, path.join(directory, 'nothing'))).toEqual([]);
  });

  it('lists logs by number, and leaves alone what has no such name', async () => {
    for (const name of ['10', '2', '1', '0', '01', 'x', '-3', '123456', 'lock']) {
      fs.mkdirSync(path.join(directory, WORKERS_DIRECTORY, name), { recursive: true });
    }
    expect(await workerLogs(nodeFileSystem, directory)).toEqual([1, 2, 10]);
    expect(logDirectory('/log', 0)).toBe('/log');
    expect(logDirectory('/log', 2)).toBe('/log/_workers/2');
  });

  it('has one owner', async () => {
    const taken = await takeGround(nodeFileSystem, directory);
    await expect(takeGround(nodeFileSystem, directory)).rejects.toMatchObject({
      code: 'HF_BUFFER_OWNER_PRESENT',
    });
    await taken.release();
    await (await takeGround(nodeFileSystem, directory)).release();
  });

  it('is no stream and no stranger to the log that it lies in', async () => {
    fs.mkdirSync(path.join(directory, WORKERS_DIRECTORY, '1'), { recursive: true });
    const log = await Log.open({ directory, retention: { minFreeSpace_bytes: 0 } });
    expect(log.streamNames()).toEqual([]);
    await expect(log.stream(WORKERS_DIRECTORY)).rejects.toMatchObject({ code: 'HF_BUFFER_INVALID_NAME' });
    await log.close();
  });
});
