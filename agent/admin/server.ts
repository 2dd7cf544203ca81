// A small HTTP server for reading the agent's state: GET and HEAD on fixed paths, nothing else.
// Invariant: nothing sent to it changes anything, and what a client can hold open or make it buffer is bounded.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorCode } from '../../buffer/ports/file_system.ts';
import { HoldfastError } from '../../config/error.ts';
import type { Logger } from '../../config/logger.ts';

export interface AdminReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}
export type AdminRoute = () => AdminReply | Promise<AdminReply>;

export interface AdminServerOptions {
  /** What listens, for messages: `health_check` or `service.telemetry.metrics`. */
  readonly name: string;
  /** Empty: every interface. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** By exact path, query aside. */
  readonly routes: ReadonlyMap<string, AdminRoute>;
  /** More are closed as they come. */
  readonly connectionsMax: number;
  readonly logger: Logger;
}

export interface AdminServer {
  /** `host:port` as it listens really. */
  readonly address: string;
  close(): Promise<void>;
}

const HEADER_BYTES_MAX = 8 * 1024;
const HEADERS_MAX = 64;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 10_000;

/** Resolves when it listens. @throws HoldfastError `HF_ADMIN_LISTEN` naming the address when it cannot. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
    },
    (request, response) => {
      void answer(request, response, options);
    },
  );
  server.maxConnections = options.connectionsMax;
  server.maxHeadersCount = HEADERS_MAX;
  await listen(server, options);
  server.on('error', (error) =>
    options.logger.error(`${options.name} server failed`, { error: error.message }),
  );
  return {
    address: printedAddress(server.address() as AddressInfo),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: AdminServerOptions,
): Promise<void> {
  const reply = await replyTo(request, options);
  if (response.destroyed) return;
  // A body on a GET is not read: closing is what keeps it from being taken for the next request.
  const hasBody =
    request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  response.writeHead(reply.status, {
    'content-type': reply.contentType,
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(reply.status === 405 ? { allow: 'GET, HEAD' } : {}),
    ...(hasBody ? { connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : reply.body);
}

async function replyTo(request: IncomingMessage, options: AdminServerOptions): Promise<AdminReply> {
  const path = (request.url ?? '/').split('?', 1)[0]!;
  const route = options.routes.get(path);
  if (!route) return text(404, `nothing here; see ${[...options.routes.keys()].join(', ')}`);
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'only GET and HEAD');
  try {
    return await route();
  } catch (error) {
    options.logger.error(`${options.name} could not answer`, { path, error: String(error) });
    return text(500, 'internal error, see the log');
  }
}

function text(status: number, body: string): AdminReply {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${body}\n` };
}

function listen(server: Server, options: AdminServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, options)));
    server.listen({ port: options.port, ...(options.host === '' ? {} : { host: options.host }) }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function listenError(error: Error, { name, host, port }: AdminServerOptions): HoldfastError {
  const code = errorCode(error);
  const why =
    code === 'EADDRINUSE'
      ? 'another process listens there; stop it or configure another port'
      : code === 'EACCES'
        ? 'this user may not use that port'
        : code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND'
          ? 'this machine has no such address'
          : error.message;
  const message = `${name} cannot listen on ${host}:${port}: ${why}`;
  return new HoldfastError('HF_ADMIN_LISTEN', message, code === 'EADDRINUSE', { cause: error });
}

function printedAddress(address: AddressInfo): string {
  return address.family === 'IPv6'
    ? `[${address.address}]:${address.port}`
    : `${address.address}:${address.port}`;
}
