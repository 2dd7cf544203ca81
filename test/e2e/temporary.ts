// Folders of a test, gone when it is over.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export function temporaryDirectory(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-test-'));
}

export function removeDirectory(directory: string): void {
  fs.rmSync(directory, { recursive: true, force: true });
}
