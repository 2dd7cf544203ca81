// Requests as an instrumented service sends them: one resource, one scope, spans with a dozen attributes each. Invariant:
// the same seed gives the same bytes, so every contestant of a run gets the same work.

import { lengthField, textField, varintField } from '../../otlp/wire.ts';

const KIND_SERVER = 2;
const SEVERITY_INFO = 9;
const START_NS = 1_780_000_000_000_000_000n;

/** xorshift32: any good mix will do, and this one is the same everywhere. */
export class Seeded {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }
  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.next() & 0xff);
  }
}

/** One ExportTraceServiceRequest with `spans` spans of about 370 bytes. */
export function tracesRequest(seed: number, spans: number): Buffer {
  return request(seed, spans, span);
}

/** One ExportLogsServiceRequest with `records` records of about 250 bytes. */
export function logsRequest(seed: number, records: number): Buffer {
  return request(seed, records, logRecord);
}

/** Traces and logs have one shape: resource, scope, and the items as field 2 of what belongs to the scope. */
function request(seed: number, items: number, item: (random: Seeded, index: number) => Uint8Array): Buffer {
  const random = new Seeded(seed);
  const resource = lengthField(
    1,
    Buffer.concat([
      attribute(1, 'service.name', `checkout-${seed % 4}`),
      attribute(1, 'service.version', '4.11.2'),
      attribute(1, 'host.name', 'edge-0017.shop.example'),
      attribute(1, 'deployment.environment.name', 'production'),
    ]),
  );
  const scope = lengthField(1, Buffer.concat([textField(1, 'http-server'), textField(2, '2.3.0')]));
  const parts = [scope];
  for (let index = 0; index < items; index++) parts.push(lengthField(2, item(random, index)));
  const ofScope = lengthField(2, Buffer.concat(parts));
  return Buffer.from(lengthField(1, Buffer.concat([resource, ofScope])));
}

function span(random: Seeded, index: number): Uint8Array {
  const start = START_NS + BigInt(index) * 1_000_000n + BigInt(random.next() % 1_000_000);
  const status = [200, 200, 200, 204, 404, 500][random.next() % 6]!;
  return Buffer.concat([
    lengthField(1, random.bytes(16)),
    lengthField(2, random.bytes(8)),
    lengthField(4, random.bytes(8)),
    textField(5, `GET /orders/{id}/items/${index % 7}`),
    varintField(6, KIND_SERVER),
    fixed64Field(7, start),
    fixed64Field(8, start + BigInt(random.next() % 50_000_000)),
    attribute(9, 'http.request.method', 'GET'),
    attribute(9, 'url.path', `/orders/${random.next()}/items/${index % 7}`),
    attribute(9, 'http.response.status_code', status),
    attribute(9, 'client.address', `10.${random.next() % 256}.${random.next() % 256}.17`),
    attribute(9, 'user_agent.original', 'shop-frontend/7.1 (till; linux)'),
    attribute(9, 'net.peer.port', 1024 + (random.next() % 60_000)),
    attribute(9, 'thread.id', random.next() % 64),
    attribute(9, 'http.route', '/orders/{id}/items/{item}'),
  ]);
}

function logRecord(random: Seeded, index: number): Uint8Array {
  const at = START_NS + BigInt(index) * 1_000_000n;
  const order = random.next();
  return Buffer.concat([
    fixed64Field(1, at),
    varintField(2, SEVERITY_INFO),
    textField(3, 'INFO'),
    lengthField(5, lengthField(1, `order ${order} took ${random.next() % 900} ms and was paid by card`)),
    attribute(6, 'order.id', order),
    attribute(6, 'code.function.name', 'checkout.OrderService.place'),
    attribute(6, 'thread.id', random.next() % 64),
    lengthField(9, random.bytes(16)),
    lengthField(10, random.bytes(8)),
    fixed64Field(11, at + 1_000n),
  ]);
}

function attribute(field: number, key: string, value: string | number): Uint8Array {
  const any = typeof value === 'string' ? lengthField(1, value) : varintField(3, value);
  return lengthField(field, Buffer.concat([lengthField(1, key), lengthField(2, any)]));
}

function fixed64Field(field: number, value: bigint): Uint8Array {
  const bytes = Buffer.alloc(9);
  bytes[0] = field * 8 + 1;
  bytes.writeBigUInt64LE(value, 1);
  return bytes;
}
