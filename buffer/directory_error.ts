// What the system says when a log cannot be opened, with what to do about it. Invariant: what is no matter of rights, room
// or limits (EIO) comes through as it is, for nobody can mend it by another setting.

import { HoldfastError } from '../config/error.ts';
import { errorCode } from './ports/file_system.ts';

const advice: Readonly<Record<string, string>> = {
  EROFS: 'the file system is mounted read-only; mount it writable or take another directory',
  EACCES: 'this user may not write there; change the owner or the mode, or take another directory',
  EPERM: 'this user may not write there; change the owner or the mode, or take another directory',
  ENOTDIR: 'a part of the path is a file; take another directory',
  EISDIR: 'a folder stands where a file of the log belongs; nothing was touched',
  EMFILE: 'this process has no file descriptors left; raise `ulimit -n` or lower `files.maxOpen`',
  ENFILE: 'the system has no file descriptors left; end some programs or raise fs.file-max',
  ENOSPC: 'no space left on the disk; free some, opening needs about 16 KiB a shard',
  EDQUOT: 'the disk quota is used up; free some, opening needs about 16 KiB a shard',
};

/** Worth trying again as it is: somebody else may give back what is missing. */
const PASSING: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOSPC', 'EDQUOT']);

export class DirectoryUnusable extends HoldfastError {
  constructor(directory: string, code: string, why: string, cause: unknown) {
    super('HF_BUFFER_DIRECTORY_UNUSABLE', `${directory}: ${why} (${code})`, PASSING.has(code), { cause });
  }
}

/** The error to show for one that came while `directory` was opened. */
export function openingError(directory: string, error: unknown): unknown {
  const code = errorCode(error);
  const why = advice[code];
  return why === undefined ? error : new DirectoryUnusable(directory, code, why, error);
}
