// The bodies that a generator sends over and over. Invariant: how many items a body holds is known from its making, never
// counted by the code that is measured.

import { gzipSync } from 'node:zlib';
import { logsRequest, tracesRequest } from './payload.ts';

/** 512 spans of 190 kB together, 512 log records, or one to ten spans in turn. */
export type BodyKind = 'spans' | 'records' | 'few spans';

export interface Body {
  readonly bytes: Buffer;
  readonly items: number;
}

const ITEMS_LARGE = 512;
const ITEMS_FEW_MOST = 10;
/** A multiple of the sizes of small requests and of the four services, so that all get the same share. */
const VARIANTS = 40;

export const signalOf: Readonly<Record<BodyKind, 'traces' | 'logs'>> = {
  spans: 'traces',
  records: 'logs',
  'few spans': 'traces',
};

export function bodiesOf(kind: BodyKind, gzip: boolean): readonly Body[] {
  return Array.from({ length: VARIANTS }, (_, index) => {
    const items = kind === 'few spans' ? 1 + (index % ITEMS_FEW_MOST) : ITEMS_LARGE;
    const make = kind === 'records' ? logsRequest : tracesRequest;
    const bytes = make(index + 1, items);
    return { items, bytes: gzip ? gzipSync(bytes, { level: 6 }) : bytes };
  });
}
