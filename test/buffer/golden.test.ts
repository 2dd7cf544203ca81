// Directories that earlier versions wrote open for ever: what they held is read back, nothing is reported but what was known,
// and the document's tables decode every byte of them.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Account, Log, type Shard, verifyLog } from '../../buffer/index.ts';
import { decode, decodeFrames, newestSlot, table } from './format_tables.ts';

interface ExpectedShard {
  readonly logStart: number;
  readonly highWatermark: number;
  readonly groups: Readonly<Record<string, number>>;
  readonly account: Omit<Account, 'dropped'> & { readonly dropped: Readonly<Record<string, number>> };
  /** Offset, and the first 16 digits of the entry's SHA-256. */
  readonly entries: readonly (readonly [number, string])[];
}

const golden = path.join(import.meta.dirname, 'golden');
const versions = fs.readdirSync(golden).filter((name) => /^v\d+$/.test(name));
const sumOf = (entry: Uint8Array): string => createHash('sha256').update(entry).digest('hex').slice(0, 16);

it('there is a golden directory for every format from 1 on', () => {
  expect(versions).toEqual(['v1']);
});

describe.each(versions)('the golden directory %s', (version) => {
  const source = path.join(golden, version, 'log');
  const expected: Record<string, ExpectedShard> = JSON.parse(
    fs.readFileSync(path.join(golden, version, 'expected.json'), 'utf8'),
  );
  let directory: string;
  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-golden-'));
    fs.cpSync(source, directory, { recursive: true });
  });
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

  async function contentOf(shard: Shard, log: Log): Promise<ExpectedShard> {
    const { account, logStart, highWatermark } = shard.stats();
    const known = [...shard.offsets.groups.values()].filter((group) => group.name !== 'golden');
    const stream = await log.stream(shard.id.split('/')[0]!);
    const reader = (await stream.group('golden', { protect: false })).reader(shard);
    reader.seek(logStart);
    const entries: [number, string][] = [];
    for (let batch = await reader.read({ wait_ms: 0 }); batch; batch = await reader.read({ wait_ms: 0 })) {
      for (const [index, entry] of batch.entries.entries()) {
        entries.push([batch.offsets[index]!, sumOf(entry)]);
      }
      batch.release();
    }
    reader.close();
    const groups = Object.fromEntries(known.map((group) => [group.name, group.committed]));
    // Reasons that came later count nothing here.
    const dropped = Object.fromEntries(Object.entries(account.dropped).filter(([, count]) => count > 0));
    return { logStart, highWatermark, groups, account: { ...account, dropped }, entries };
  }

  async function contents(log: Log): Promise<Record<string, ExpectedShard>> {
    const all: Record<string, ExpectedShard> = {};
    for (const stream of await log.streams('**')) {
      for (const shard of stream.shards) all[shard.id] = await contentOf(shard, log);
    }
    return all;
  }

  it('opens, holds what it held, and opens again', async () => {
    for (let opening = 0; opening < 2; opening++) {
      const reports: string[] = [];
      const log = await Log.open({
        directory,
        report: (level, message) => reports.push(`${level}: ${message}`),
      });
      expect(await contents(log)).toEqual(expected);
      expect(reports).toEqual([]);
      await log.close();
    }
  });

  it('holds the same where every index is gone and all is read', async () => {
    for (const name of fs.readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.index')) fs.rmSync(path.join(directory, name));
    }
    const log = await Log.open({ directory });
    expect(await contents(log)).toEqual(expected);
    await log.close();
  });

  it('takes new entries behind the old ones', async () => {
    const log = await Log.open({ directory, compression: { codec: 'zstd' } });
    for (const stream of await log.streams('**')) {
      const shard = stream.shards[0]!;
      const first = shard.append([Buffer.from('new '.repeat(1000))]);
      expect(first).toBe(expected[shard.id]!.highWatermark);
      await shard.durable(first);
    }
    await log.close();
  });

  it('is whole but for the damage that its account knows', async () => {
    const report = await verifyLog({ directory });
    expect(report.damage.map(({ kind, known }) => ({ kind, known }))).toEqual([
      { kind: 'lost', known: true },
    ]);
    const entries = Object.values(expected).reduce((sum, shard) => sum + shard.entries.length, 0);
    expect(report.entries).toBe(entries);
  });

  it('is decoded by the tables of FORMAT.md and by nothing else', () => {
    let packed = 0;
    for (const [id, shard] of Object.entries(expected)) {
      const from = path.join(source, id);
      const ledger = newestSlot(fs.readFileSync(path.join(from, 'ledger')))['payload'] as Buffer;
      const account = decode(table('Ledger payload'), ledger);
      expect(account['logStart']).toBe(shard.logStart);
      const entries: (readonly [number, string])[] = [];
      for (const name of fs
        .readdirSync(from)
        .filter((each) => each.endsWith('.log'))
        .sort()) {
        let bytes = fs.readFileSync(path.join(from, name));
        // The first frame of this one was damaged on purpose; its length tells where the next one begins.
        const damaged = fs.existsSync(path.join(from, 'quarantine')) && Number.parseInt(name, 10) === 7;
        if (damaged) bytes = bytes.subarray(40 + Number(decode(table('Frame header'), bytes)['bodyBytes']));
        for (const frame of decodeFrames(bytes, account)) {
          packed += frame.packed ? 1 : 0;
          const base = Number(frame.values['baseOffset']);
          for (const [index, entry] of frame.entries.entries()) entries.push([base + index, sumOf(entry)]);
        }
      }
      expect(entries).toEqual(shard.entries);
    }
    expect(packed).toBeGreaterThan(10);
  });
});
