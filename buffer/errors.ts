// Every operating error of the log, each with a code that never changes and a sentence that says what to do.

import { HoldfastError } from '../config/error.ts';

/** No room now: disk budget, free space, memory for unwritten entries, or a disk that does not answer. */
export class LogFull extends HoldfastError {
  /** When trying again makes sense, seconds. */
  readonly retryAfter_s: number;
  constructor(message: string, retryAfter_s: number, cause?: unknown) {
    super('HF_BUFFER_FULL', message, true, { cause });
    this.retryAfter_s = retryAfter_s;
  }
}

export class EntryTooLarge extends HoldfastError {
  constructor(bytes: number, limit_bytes: number) {
    super(
      'HF_BUFFER_ENTRY_TOO_LARGE',
      `an entry of ${bytes} bytes is larger than the limit of ${limit_bytes}; split it before appending`,
      false,
    );
  }
}

export class LogClosed extends HoldfastError {
  constructor(what: string) {
    super('HF_BUFFER_CLOSED', `${what} is closed; open the log again to use it`, false);
  }
}

/** The write or the sync of a commit failed: its entries are not promised, whoever waited must append again. */
export class CommitFailed extends HoldfastError {
  constructor(shard: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      'HF_BUFFER_COMMIT_FAILED',
      `${shard}: a commit failed (${reason}); append the entries again`,
      true,
      {
        cause,
      },
    );
  }
}

export class CommitTimeout extends HoldfastError {
  constructor(shard: string, deadline_ms: number) {
    super(
      'HF_BUFFER_COMMIT_TIMEOUT',
      `${shard}: the disk did not finish a commit within ${deadline_ms} ms; the entries may or may not be stored, append them again`,
      true,
    );
  }
}

export class OwnerPresent extends HoldfastError {
  constructor(directory: string, owner: string) {
    super(
      'HF_BUFFER_OWNER_PRESENT',
      `${directory} is in use by ${owner}; stop that process or choose another directory`,
      false,
    );
  }
}

/** The directory has another owner though this one lives: its lock was dropped or deleted. Nothing is written any more. */
export class OwnershipLost extends HoldfastError {
  constructor(directory: string, owner: string) {
    super(
      'HF_BUFFER_OWNERSHIP_LOST',
      `${directory} was taken over by ${owner} while this process had it; end one of them, and find out why the lock did not hold: it was deleted, or the file system does not keep locks`,
      false,
    );
  }
}

export class ForeignDirectory extends HoldfastError {
  /** @param advice what whoever named the directory should do */
  constructor(directory: string, name: string, advice = 'choose an empty directory') {
    super(
      'HF_BUFFER_FOREIGN_DIRECTORY',
      `${directory} holds "${name}" and is not a Holdfast log; ${advice} (nothing was touched)`,
      false,
    );
  }
}

export class NewerFormat extends HoldfastError {
  constructor(path: string, version: number | string, known: number) {
    super(
      'HF_BUFFER_NEWER_FORMAT',
      `${path} has format version ${version}, this program knows ${known}; upgrade Holdfast (nothing was touched)`,
      false,
    );
  }
}

/** Owner and all ledgers are gone, and the segments do not say either under which key their frames were sealed. */
export class KeyLost extends HoldfastError {
  constructor(directory: string) {
    super(
      'HF_BUFFER_KEY_LOST',
      `${directory}: owner file and ledgers are damaged and no segment says what their key was; restore one of them from a copy (nothing was touched)`,
      false,
    );
  }
}

/** A state whose checksum is right and whose content means nothing: no disk does that. */
export class StateInvalid extends HoldfastError {
  constructor(what: string, cause?: unknown) {
    super(
      'HF_BUFFER_STATE_INVALID',
      `${what} is intact and makes no sense, so a program wrote it that is not this one; restore it from a copy (nothing was touched)`,
      false,
      { cause },
    );
  }
}

export class InvalidName extends HoldfastError {
  constructor(what: string, name: string, expected: string) {
    super('HF_BUFFER_INVALID_NAME', `${what} ${JSON.stringify(name)} is not valid: ${expected}`, false);
  }
}

export class OffsetOutOfRange extends HoldfastError {
  constructor(shard: string, offset: number, from: number, to: number) {
    super(
      'HF_BUFFER_OFFSET_OUT_OF_RANGE',
      `${shard}: offset ${offset} is outside ${from} … ${to}; read the log start and high watermark first`,
      false,
    );
  }
}

export class LeaseMisuse extends HoldfastError {
  constructor(message: string) {
    super('HF_BUFFER_LEASE_MISUSE', message, false);
  }
}

/** What was read is used, kept or given back after its last release. */
export class LeaseReleased extends HoldfastError {
  constructor(what: string) {
    super(
      'HF_BUFFER_LEASE_RELEASED',
      `${what} was released before; copy what is needed for longer, retain the batch, or read with \`safe\``,
      false,
    );
  }
}

export class TooManyGroups extends HoldfastError {
  constructor(shard: string) {
    super(
      'HF_BUFFER_TOO_MANY_GROUPS',
      `${shard}: the offsets file has no room for another group; forget groups that are gone`,
      false,
    );
  }
}

export class InvalidOffset extends HoldfastError {
  constructor(text: string) {
    const shown = JSON.stringify(text.slice(0, 200));
    super('HF_BUFFER_INVALID_OFFSET', `${shown} is no offset: write it as stream/shard-offset`, false);
  }
}

/** An entry was acknowledged so far ahead of the oldest one that is not that it cannot be remembered. */
export class AckWindowExceeded extends HoldfastError {
  constructor(shard: string, offset: number, low: number, entries: number) {
    super(
      'HF_BUFFER_ACK_WINDOW_EXCEEDED',
      `${shard}: ${offset} cannot be acknowledged while ${low} is not, which is more than ${entries} entries before; acknowledge that one first, or widen ackWindow_entries`,
      true,
    );
  }
}

export class InvalidOption extends HoldfastError {
  constructor(option: string, value: unknown, expected: string) {
    super('HF_BUFFER_INVALID_OPTION', `${option} ${String(value)} is not valid: ${expected}`, false);
  }
}

export class UnknownGroup extends HoldfastError {
  constructor(group: string, where: string) {
    super(
      'HF_BUFFER_UNKNOWN_GROUP',
      `group ${group} does not exist on ${where}; open it with stream.group first`,
      false,
    );
  }
}

export class UnknownStream extends HoldfastError {
  constructor(stream: string) {
    super(
      'HF_BUFFER_UNKNOWN_STREAM',
      `there is no stream ${stream}; log.streamNames() lists those that are`,
      false,
    );
  }
}

export class StreamUnconsumed extends HoldfastError {
  constructor(stream: string, entries: number, groups: readonly string[]) {
    const who = groups.length > 0 ? `not consumed by ${groups.join(', ')}` : 'of which no group has read any';
    super(
      'HF_BUFFER_STREAM_UNCONSUMED',
      `stream ${stream} holds ${entries} entries ${who}; let them be delivered, or delete it with force`,
      false,
    );
  }
}

export class GroupExists extends HoldfastError {
  constructor(group: string, stream: string) {
    super(
      'HF_BUFFER_GROUP_EXISTS',
      `group ${group} exists on ${stream} already; choose another name or forget it first`,
      false,
    );
  }
}
