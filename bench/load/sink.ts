// The backend of the benchmark, a process of its own: takes every request, counts bodies and bytes, answers 200. The
// parent asks over IPC, so the figures cost the contestant nothing.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const counted = { requests: 0, bytes: 0 };

const server = createServer((request, response) => {
  request.on('data', (chunk: Buffer) => {
    counted.bytes += chunk.length;
  });
  request.on('end', () => {
    counted.requests += 1;
    response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': 0 });
    response.end();
    if (waitFor > 0 && counted.bytes >= waitFor) {
      waitFor = 0;
      process.send?.({ arrived: { ...counted } });
    }
  });
});

let waitFor = 0;

process.on('message', (message: { reset?: true; waitFor?: number }) => {
  if (message.reset) {
    counted.requests = 0;
    counted.bytes = 0;
  }
  if (message.waitFor !== undefined) {
    if (counted.bytes >= message.waitFor) process.send?.({ arrived: { ...counted } });
    else waitFor = message.waitFor;
  }
});

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
