// Names that become paths. Invariant: nothing becomes part of a path that has not passed here (CVE-2025-12972).

import { InvalidName } from './errors.ts';

const STREAM_NAMES =
  'dot-separated parts of [a-z0-9][a-z0-9_-]{0,63} are, 200 bytes at most, but "lock" and "owner"';
const PART = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const GROUP = /^[\x21-\x7e]{1,120}$/;
/** Files of the log itself, beside the streams. */
const RESERVED = new Set(['lock', 'lock-journal', 'owner', 'owner.new']);
/** Further logs of the same agent, each complete by itself; a log does not look into it. No stream can have that name. */
export const WORKERS_DIRECTORY = '_workers';
const SEGMENT = /^(\d{20})\.log$/;
const INDEX = /^(\d{20})\.index$/;

/** Checks a stream name: dot-separated parts of `[a-z0-9][a-z0-9_-]{0,63}`, 200 bytes at most, no name of the log's own. @throws InvalidName */
export function checkStreamName(name: string): void {
  if (!isStreamName(name)) {
    throw new InvalidName('stream name', name, STREAM_NAMES);
  }
}

export function isStreamName(name: string): boolean {
  return !RESERVED.has(name) && name.length <= 200 && name.split('.').every((part) => PART.test(part));
}

/** Checks a group name: 1 to 120 printable ASCII characters without space. It never becomes a path. @throws InvalidName */
export function checkGroupName(name: string): void {
  if (!GROUP.test(name)) {
    throw new InvalidName('group name', name, '1 to 120 printable ASCII characters without spaces are');
  }
}

export function segmentName(baseOffset: number): string {
  return `${String(baseOffset).padStart(20, '0')}.log`;
}

export function indexName(baseOffset: number): string {
  return `${String(baseOffset).padStart(20, '0')}.index`;
}

/** The base offset that a file name says, or undefined where it is not a segment's. */
export function segmentBase(name: string): number | undefined {
  return baseIn(name, SEGMENT);
}

/** The same of the name of an index. */
export function indexBase(name: string): number | undefined {
  return baseIn(name, INDEX);
}

function baseIn(name: string, pattern: RegExp): number | undefined {
  const match = pattern.exec(name);
  const base = match ? Number(match[1]) : Number.NaN;
  return Number.isSafeInteger(base) ? base : undefined;
}
