// The backend of the benchmark, a process of its own: takes every request, counts the items in it, answers 200; lines over TCP it
// counts too. It shares the cores with whoever sends to it, so it does no more than that: sockets are read into one piece of memory,
// without a parser of HTTP or streams. The parent asks over IPC, so the figures cost the contestant nothing.

import { type AddressInfo, createServer, Socket, type SocketConstructorOpts } from 'node:net';
import { CompressedCounts } from './compressed_counts.ts';
import { Conversation } from './conversation.ts';

/** A read is handed on before the next one, so all connections share the memory. */
const READ_BYTES = 256 * 1024;
const ANSWER = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n',
);

const memory = Buffer.alloc(READ_BYTES);
const compressed = new CompressedCounts();
let counted = 0;
let waitFor = 0;
let failed: string | undefined;

const server = createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
  const conversation = new Conversation({
    compressed,
    answer: () => socket.write(ANSWER),
    counted(items) {
      counted += items;
      if (waitFor > 0) tellWhenArrived();
    },
  });
  const onread = {
    buffer: memory,
    callback(length: number): boolean {
      try {
        conversation.take(memory, length);
      } catch (error) {
        failed = String(error);
        socket.destroy();
        if (waitFor > 0) tellWhenArrived();
      }
      return true;
    },
  };
  // Node lets only a socket that it makes itself read into memory of ours, so one is made for the connection that was accepted.
  const { _handle: handle } = accepted as Socket & { readonly _handle: unknown };
  const socket = new Socket({ handle, onread } as SocketConstructorOpts);
  // What is missing is missed by whoever waits for it.
  socket.on('error', () => {});
  socket.resume();
});

const NEWLINE = 10;
const lines = createServer((socket) => {
  socket.on('data', (chunk: Buffer) => {
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) counted += 1;
    if (waitFor > 0) tellWhenArrived();
  });
  socket.on('error', () => {});
});

function tellWhenArrived(): void {
  if (failed === undefined && counted < waitFor) return;
  waitFor = 0;
  process.send?.(failed === undefined ? { arrived: counted } : { failed });
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
