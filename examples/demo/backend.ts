// The backend of the demo: takes OTLP/HTTP traces, remembers the id of every span, and can go away and come back on the
// same port.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { FieldReader } from '../../otlp/wire.ts';

export class DemoBackend {
  /** How often each span arrived, by its id in hex. */
  readonly spans = new Map<string, number>();
  port = 0;
  #server: Server | undefined;

  async up(): Promise<void> {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const stored = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(stored) : stored;
      for (const id of spanIds(body)) this.spans.set(id, (this.spans.get(id) ?? 0) + 1);
      response.writeHead(200, { 'content-type': 'application/x-protobuf' });
      response.end();
    });
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  get isUp(): boolean {
    return this.#server !== undefined;
  }
}

/** ExportTraceServiceRequest → resource_spans (1) → scope_spans (2) → spans (2) → span_id (2). */
function spanIds(body: Uint8Array): string[] {
  let level = [body];
  for (const field of [1, 2, 2]) level = level.flatMap((message) => contents(message, field));
  return level.flatMap((span) => contents(span, 2).map((id) => Buffer.from(id).toString('hex')));
}

function contents(message: Uint8Array, field: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  const reader = new FieldReader(message);
  while (reader.next()) if (reader.number === field) found.push(reader.content());
  return found;
}
