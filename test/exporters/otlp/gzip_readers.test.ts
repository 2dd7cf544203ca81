// What we merge and compress is one gzip member that everybody reads to its end: gzip(1), Python and Node, and with
// `unzipSync` what finds out by itself. gRPC libraries have their own tests (otlp_grpc/conformance.test.ts).

import { spawnSync } from 'node:child_process';
import { gunzipSync, unzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { BlockPool } from '../../../buffer/index.ts';
import { bodyOf } from '../../../exporters/otlp/body.ts';
import type { Entry } from '../../../otlp/entry.ts';
import { batchOf, gzipped, identity, text } from './batches.ts';

/** Reads gzip from stdin. `says`: how it is found out whether it is there. */
const programs = {
  'gzip -dc': { command: 'gzip', args: ['-dc'], says: ['--version'] },
  python3: {
    command: 'python3',
    args: ['-c', 'import gzip, sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))'],
    says: ['--version'],
  },
} as const;
const present = Object.entries(programs).filter(
  ([, { command, says }]) => spawnSync(command, says).status === 0,
);

const batches: Readonly<Record<string, readonly Entry[]>> = {
  'one entry as it came': [gzipped(text(100_000, 'a'))],
  'several raw entries': [identity(text(70_000, 'a')), identity(text(9, 'b')), identity(text(3_000, 'c'))],
  'raw and compressed entries': [
    gzipped(text(70_000, 'a')),
    identity(text(9, 'b')),
    gzipped(text(3_000, 'c')),
  ],
  'very small ones': [gzipped(text(4, 'a')), gzipped(text(5, 'b'))],
};

describe.each(Object.entries(batches))('%s', (_what, entries) => {
  const bytes = async (): Promise<Uint8Array> => {
    const form = { encoding: 'proto', compression: 'gzip', level: 1 } as const;
    return (await bodyOf(batchOf([...entries]), form, new BlockPool(2 ** 20))).bytes;
  };
  const plain = Buffer.concat(
    entries.map(({ codec, payload }) => (codec === 'gzip' ? gunzipSync(payload) : payload)),
  );

  it('is read by Node', async () => {
    expect(gunzipSync(await bytes()).equals(plain)).toBe(true);
    expect(unzipSync(await bytes()).equals(plain)).toBe(true);
  });

  it('says its length at its end, which it does only as a single member', async () => {
    const body = Buffer.from(await bytes());
    expect(body.readUInt32LE(body.length - 4)).toBe(plain.length);
  });

  it(`is read by ${present.map(([name]) => name).join(' and ') || 'nobody else: neither gzip nor python3 is here'}`, async () => {
    const input = await bytes();
    for (const [, { command, args }] of present) {
      const { status, stdout } = spawnSync(command, args, { input, maxBuffer: 2 * plain.length + 1024 });
      expect({ command, status, same: stdout.equals(plain) }).toEqual({ command, status: 0, same: true });
    }
  });
});
