import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { curlLine, logRequest } from '../../agent/first_steps.ts';

const execute = promisify(execFile);

describe('the line that sends something', () => {
  it('posts the protobuf body of one log record when a shell runs it', async () => {
    const got: { path: string | undefined; type: string | undefined; body: Buffer }[] = [];
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      got.push({ path: request.url, type: request.headers['content-type'], body: Buffer.concat(chunks) });
      response.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      await execute('sh', ['-c', curlLine(`127.0.0.1:${port}`)]);
    } finally {
      server.close();
    }
    const body = Buffer.from(logRequest('hello from curl'));
    expect(got).toEqual([{ path: '/v1/logs', type: 'application/x-protobuf', body }]);
  });

  it('nests the text to the depth of a log record’s body', () => {
    expect(Buffer.from(logRequest('ab')).toString('hex')).toBe('0a0a120812062a040a026162');
  });

  it('lets the shell print exactly its bytes, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 25 }), async (text) => {
        const line = curlLine('x', text).split(' | ')[0]!;
        const { stdout } = await execute('sh', ['-c', line], { encoding: 'buffer' });
        expect(stdout).toEqual(Buffer.from(logRequest(text)));
      }),
      { numRuns: 40 },
    );
  });

  it('refuses a text that one length byte cannot hold', () => {
    expect(() => curlLine('x', 'a'.repeat(128))).toThrow(RangeError);
  });
});
