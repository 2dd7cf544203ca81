// What the log owes to those before it (comet, TurboStream, iobuf, immuta, StreamBus) and what none of them has, row by row:
// each has a test that is named after it and a line in buffer/README.md. Invariant: a row without either fails the build.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = path.resolve(import.meta.dirname, '../..');
const text = (file: string): string => readFileSync(path.join(root, file), 'utf8').replace(/\s+/g, ' ');
const readme = text('buffer/README.md');
const pool = text('buffer/pool/README.md');

/** What is owed, the test that shows it (below test/buffer), and words of the README's line. */
type Row = readonly [what: string, file: string, title: string, line: string];

const comet: readonly Row[] = [
  [
    'append returns offsets, also as text',
    'offset_text',
    'name what append returned, and are parsed back',
    'Offsets as text',
  ],
  ['shards by a stable hash', 'log', 'keep a key in one place, and spread keys', 'stream.shardOf(key)'],
  [
    'a changed number of shards',
    'log',
    'become more or fewer with a backlog: old ones drain, new entries use the new number',
    'where the number of shards changes',
  ],
  ['streams chosen by glob', 'several_shards', 'streams chosen by glob', 'log.streams(pattern)'],
  [
    'reading several shards with a count',
    'several_shards',
    'reads them in turn with a count, in order within each, and commits each on its own',
    'reads its shards in turn',
  ],
  [
    'committed offset per group and shard',
    'group',
    'goes on where it committed after a restart, apart from every other group',
    'Offsets still commit',
  ],
  [
    'acknowledging one, a range, out of order',
    'acknowledge',
    'one entry, a range, or out of order: the low watermark is what commits',
    'low watermark',
  ],
  [
    'no allocation per acknowledgement',
    'acknowledge',
    'allocates nothing for each acknowledgement',
    'It allocates nothing',
  ],
  [
    'lag in entries, bytes and seconds',
    'group',
    'says how far it is behind, in entries, bytes and time',
    'in entries, bytes and age',
  ],
  [
    'length',
    'stats',
    'of log, stream, shard and group are plain objects that agree with each other',
    '**Length**',
  ],
  [
    'seek and reset',
    'place',
    'seeks and resets to earliest, latest, an offset, a time: back too, durably',
    'group.reset(place)',
  ],
  [
    'static assignment',
    'several_shards',
    'is divided between readers: every shard has one of them, evenly, and stays with it when streams are added',
    'assignment: { index, of }',
  ],
  [
    'process: batches, auto-ack, after-batch',
    'process',
    'handles batches of the size, acknowledges them, calls back after each, and goes on with what comes',
    '`afterBatch`',
  ],
  [
    'process: poll wait',
    'process',
    'waits as long as the poll wait says and then looks again',
    '`pollWait_ms`',
  ],
  [
    'process: retries with delay',
    'process',
    'tries again after the delay, as often as it is told to',
    '`retryDelay_ms`',
  ],
  [
    'process: error policy',
    'process',
    'gives a batch to the dead-letter callback, and keeps it where that fails',
    '`onError`',
  ],
  [
    'process: clean stop',
    'process',
    'stops cleanly: the batch in hand is finished, what was acknowledged is durable, nothing is left behind',
    'clean stop',
  ],
  [
    'retention at its interval',
    'full_log',
    'runs by itself at its interval, removes consumed segments with their index, and never the active one',
    '`retention.interval_ms`',
  ],
  [
    'protect-unconsumed',
    'retention',
    'leaves what a protecting group has not consumed',
    '`retention.protectUnconsumed`',
  ],
  [
    'sparse index with its interval',
    'segment',
    'keeps one point an interval, and finds the last at or before an offset',
    '`segment.indexInterval_bytes`',
  ],
  [
    'zstd per frame',
    'compression',
    'is read back the same from memory, from files, and after it was opened anew',
    '## Compression',
  ],
  [
    'zstd off the thread',
    'compression',
    'is worked on by three at a time, so that the disk has a thread left',
    "libuv's pool of threads",
  ],
  [
    'presets',
    'presets',
    'opens a log, holds its limits together, and decides nothing about loss',
    '### Presets',
  ],
  ['sync and close', 'durability', 'durability', '`log.sync()`, `shard.sync()`'],
  [
    'stats of every level',
    'stats',
    'add up the latency of writes: least, mean and greatest, over those shards that wrote',
    'write latency (min, mean, max)',
  ],
];

const turboStream: readonly Row[] = [
  [
    'switch by size, time, or both',
    'switch_policy',
    'comes at once where nobody is waited for, where somebody asks, and where all came who were expected',
    '### When blocks are switched',
  ],
  [
    '40 % time, 60 % fill by default',
    'commit_policy',
    'is by default: synced before it is answered, 40 % time and 60 % fill, a linger that learns',
    '`commit.timeWeight`',
  ],
  [
    'reason and latency of each switch, skips',
    'switch_meter',
    'are counted by their reason, with how long the first entry waited and how full the block was',
    'switches by reason',
  ],
  [
    'order is kept',
    'switch_meter',
    'that are due while a commit is under way are put off, and counted; order is kept',
    'Order holds within a shard',
  ],
  [
    'blocking reads end on data, time, abort, close',
    'read_meter',
    'are counted by what ended them: data, time, abort, close, the disk',
    'ends the wait',
  ],
  [
    'waiters woken in one go',
    'read_meter',
    'that wait for the same entries are woken in one go: no turn of the loop lies between the first and the last',
    'readers that wait now',
  ],
  [
    'batch, callback and async iteration',
    'several_shards',
    'async iteration and callback',
    '**Ways to read**',
  ],
  ['safe reads by size', 'leased_batch', 'a safe read', '`safe`'],
  ['leases by count', 'leased_batch', 'keeps the memory until its last reference is released', '`retain()`'],
  [
    'an error after release',
    'leased_batch',
    'that was released throws instead of showing reused memory: on use, on retain, on another release',
    'HF_BUFFER_LEASE_RELEASED',
  ],
  [
    'leaked leases',
    'leases',
    'that were forgotten are counted and reported; a view that is left still shows its entry',
    'leases open and leaked',
  ],
  [
    'metering in batches',
    'switch_meter',
    'stand beside writes by their result',
    'Counted once a read, summed when asked for',
  ],
];

const iobuf: readonly Row[] = [
  [
    'tiers from 16 B to 256 KiB',
    'pool/pool',
    'a pool with tiers from 16 B to 256 KiB',
    'from 16 B to 256 KiB',
  ],
  ['page-aligned slabs', 'pool/aligned_memory', 'alignment proven by O_DIRECT', 'page-aligned'],
  [
    'get, put, value, setValue, fill by index',
    'pool/pool',
    'gives, takes, sets and fills values by index',
    'get, put, value, setValue and fill by index',
  ],
  [
    'double put',
    'pool/pool',
    'detects a double put, also when the slot is lent to somebody else by then',
    'double and foreign puts',
  ],
  [
    'foreign put',
    'pool/pool',
    'detects a foreign put: of another pool, or of none',
    'double and foreign puts',
  ],
  ['readv and writev', 'pool/vectored', 'vectored reads and writes', 'vectored reads and writes'],
  ['back-off when exhausted', 'pool/pool', 'back-off when a pool is exhausted', 'back-off'],
  ['stats by tier', 'pool/pool', 'has stats by tier', 'stats by tier'],
];

const immuta: readonly Row[] = [
  [
    'one writer, many readers',
    'reader',
    'is counted once by any number of readers, whose lag falls to nothing',
    'slows nobody else',
  ],
  [
    'append from a stream of chunks',
    'append_stream',
    'makes one entry of the chunks, also where the source uses their memory again',
    'appendStream',
  ],
  [
    'from the start, skipping n, from the n-th last',
    'place',
    'begins at the earliest, the latest, an offset, a time, behind n or at the n-th last',
    '{ last: n }',
  ],
  ['following the tail', 'examples', 'follow_the_tail', 'follow_the_tail.ts'],
  [
    '1,000 shards on 64 descriptors',
    'ports/bounded_files',
    'has 1,000 shards open, appended to and read, on 64 descriptors of the system',
    '`files.maxOpen`',
  ],
  ['verify', 'verify', 'finds each flipped bit of a segment, wherever it is', 'verifyLog'],
];

const streamBus: readonly Row[] = [
  [
    'keyed records',
    'append_stream',
    'puts all entries of a key into its shard, and says where',
    'stream.append',
  ],
  [
    'deleting a stream',
    'stream_deletion',
    'is refused while a protecting group has not consumed it, and changes nothing then',
    '**Deleting a stream**',
  ],
  [
    'produce, fetch, commit, offsets as plain calls',
    'plain_calls',
    'produce, fetch, commit and tell offsets, over a restart',
    'plain calls',
  ],
  [
    'producer linger',
    'switch_meter',
    'wait for company while strangers come, and do not once nobody does',
    '`commit.linger_ms`',
  ],
  [
    'CRC',
    'reader',
    'costs the one frame that holds the byte, whichever byte it is, and is counted exactly and for good',
    'One damaged byte costs its frame',
  ],
  [
    'index look-up',
    'place',
    'finds a time in one large segment, many index points and frames, also after it was opened again',
    'a time finds the first entry',
  ],
  [
    'start-up apart from the backlog',
    'open_shard',
    'reads of the data no more than the last segment, and of each other its index',
    'Memory does not grow with the backlog',
  ],
];

const nobody: readonly Row[] = [
  [
    'success only after fsync',
    'commit_loop',
    'syncs the directory of a new segment before anybody is answered',
    'the name of its file are synced',
  ],
  [
    'group commit',
    'commit_loop',
    'serves all that was appended in one turn with one sync and one promise',
    'One sync serves all who wait',
  ],
  [
    'the loss identity',
    'ledger',
    'adds up exactly after any sequence of appends, failures, damage, removals and restarts',
    'appended = retained + deletedConsumed',
  ],
  [
    'quarantine instead of truncation',
    'recovery',
    'loses exactly the frame that holds a damaged byte, whichever byte it is, where all was promised',
    'kept aside',
  ],
  [
    'a full disk that heals',
    'full_log',
    'rejects appends with a time, commits offsets, goes on draining, and heals',
    'it heals alone',
  ],
  [
    'offsets that commit without free space',
    'two_slot',
    'needs no free space to replace a state',
    'Offsets still commit',
  ],
  [
    'oldest-unconsumed age and time-to-full',
    'retainer',
    'time-to-full and the age of what is not consumed',
    '`timeToFull_ms`',
  ],
  ['a hot tail', 'reader', 'that has caught up reads no disk', '`hotTail_bytes`'],
  [
    'durability with its window',
    'durability',
    'has no account that claims what a power cut took: it was in the window, and its offsets are free again',
    '### Durability',
  ],
  ['protection limits per group', 'full_log', 'lets a group pin no more than its max_lag', '`maxLag.bytes`'],
  ['priority per stream', 'retainer', 'priority per stream', '`priority`'],
  [
    'a deadline on commits',
    'commit_loop',
    'has its waiters rejected at the deadline and its appends refused, and takes them again once it answers',
    '`commitDeadline_ms`',
  ],
  [
    'a broken invariant poisons its shard alone',
    'invariant',
    'a broken invariant',
    'in a state that cannot be',
  ],
];

describe.each([
  ['comet', comet],
  ['TurboStream', turboStream],
  ['iobuf', iobuf],
  ['immuta', immuta],
  ['StreamBus', streamBus],
  ['what none of them has', nobody],
])('%s', (_, rows) => {
  it.each(rows.map((row) => [...row] as const))('%s', (_what, file, title, line) => {
    expect(text(`test/buffer/${file}.test.ts`)).toContain(title);
    expect(`${readme} ${pool}`.toLowerCase()).toContain(line.toLowerCase());
  });
});
