// The backend of the benchmark, a process of its own: takes every request, counts the items in it, answers 200. The
// parent asks over IPC, so the figures cost the contestant nothing.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { itemsIn } from './count.ts';

let counted = 0;
let waitFor = 0;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': 0 });
    response.end();
    counted += itemsIn(Buffer.concat(chunks), request.headers['content-encoding'] === 'gzip');
    if (waitFor > 0) tellWhenArrived();
  });
});

function tellWhenArrived(): void {
  if (counted < waitFor) return;
  waitFor = 0;
  process.send?.({ arrived: counted });
}

process.on('message', (message: { reset?: true; waitFor?: number }) => {
  if (message.reset) counted = 0;
  if (message.waitFor === undefined) return;
  waitFor = message.waitFor;
  tellWhenArrived();
});

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
