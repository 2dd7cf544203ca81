// The backend of the benchmark, a process of its own: takes every request, counts the items in it, answers 200; lines over TCP it
// counts too. The parent asks over IPC, so the figures cost the contestant nothing.

import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
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

const NEWLINE = 10;
const lines = createTcpServer((socket) => {
  socket.on('data', (chunk: Buffer) => {
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) counted += 1;
    if (waitFor > 0) tellWhenArrived();
  });
  // What is missing is missed by whoever waits for it.
  socket.on('error', () => {});
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

server.listen(0, '127.0.0.1', () => {
  lines.listen(0, '127.0.0.1', () => {
    const [port, linesPort] = [server, lines].map((each) => (each.address() as AddressInfo).port);
    process.send?.({ port, linesPort });
  });
});
