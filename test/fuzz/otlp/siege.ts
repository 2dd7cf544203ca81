// Damaged requests against a receiver, one protocol at a time, with valid traffic between them all the while.
// Invariant: the first answer that OTLP does not allow ends it, with all that is needed to send the same again.

import { once } from 'node:events';
import net from 'node:net';
import { Pool } from 'undici';
import { exportPathOf } from '../../../otlp/service.ts';
import { framed, RawClient } from '../../receivers/otlp/grpc/raw_call.ts';
import { type Answer, JSON_TYPE, PROTOBUF, pathOf, request } from '../../receivers/otlp/harness.ts';
import { SeededRandom } from '../../sim/random.ts';
import { type Attack, Attacker } from './mutate.ts';
import { grpcFault, httpFault } from './verdict.ts';

/** Of so many requests one is not even a request: its head or its frames are damaged too. */
const RAW_ONE_IN = 64;
/** After so many damaged requests a valid one must be taken. */
const VALID_ONE_IN = 100;
const AT_ONCE = 8;

export interface Siege {
  readonly seed: number;
  readonly requests: number;
}

export interface Tally {
  /** Answers by their status. */
  readonly answers: Map<number, number>;
  valid: number;
  raw: number;
}

interface Side {
  attack(attacker: Attacker): Promise<number>;
  raw(attacker: Attacker): Promise<void>;
  /** @throws when valid traffic is not taken */
  valid(): Promise<void>;
  close(): Promise<void>;
}

export const besiegeHttp = (port: number, siege: Siege): Promise<Tally> => besiege(httpSide(port), siege);
export const besiegeGrpc = (port: number, siege: Siege): Promise<Tally> => besiege(grpcSide(port), siege);

async function besiege(side: Side, { seed, requests }: Siege): Promise<Tally> {
  const tally: Tally = { answers: new Map(), valid: 0, raw: 0 };
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let number = next++; number < requests; number = next++) {
      // Each request has a seed of its own, so that one can be sent again without the others.
      const attacker = new Attacker(new SeededRandom((seed + number) >>> 0));
      try {
        if (attacker.random.integer(RAW_ONE_IN) === 0) {
          await side.raw(attacker);
          tally.raw++;
        } else {
          const status = await side.attack(attacker);
          tally.answers.set(status, (tally.answers.get(status) ?? 0) + 1);
        }
        if (number % VALID_ONE_IN === 0) {
          await side.valid();
          tally.valid++;
        }
      } catch (error) {
        next = requests;
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`SEED=${seed + number} --requests 1: ${reason}`, { cause: error });
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    await side.valid();
    return tally;
  } finally {
    await side.close();
  }
}

function httpSide(port: number): Side {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: AT_ONCE });
  const post = async ({ signal, json, encoding, body }: Attack): Promise<Answer> => {
    const response = await pool.request({
      method: 'POST',
      path: pathOf[signal],
      headers: { 'content-type': json ? JSON_TYPE : PROTOBUF, 'content-encoding': encoding },
      body,
    });
    const answer = Buffer.from(await response.body.arrayBuffer());
    return { status: response.statusCode, headers: response.headers, body: answer };
  };
  return {
    async attack(attacker) {
      const attack = attacker.attack(true);
      const answer = await post(attack);
      const fault = httpFault(answer, attack.json);
      if (fault !== undefined) throw new Error(`${fault} for ${described(attack)}`);
      return answer.status;
    },
    raw: (attacker) => {
      const body = request('traces');
      const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: ${body.length}\r\n\r\n`;
      return sendRaw(port, attacker.damaged(Buffer.concat([Buffer.from(head), body])));
    },
    async valid() {
      const { status } = await post({
        signal: 'logs',
        json: false,
        encoding: 'identity',
        body: request('logs'),
      });
      if (status !== 200) throw new Error(`valid traffic got ${status}`);
    },
    close: () => pool.close(),
  };
}

function grpcSide(port: number): Side {
  const client = new RawClient(port);
  return {
    async attack(attacker) {
      const attack = attacker.attack(false);
      const message = framed(attack.body, attack.encoding === 'identity' ? 0 : 1);
      const whole = attacker.random.integer(8) !== 0;
      const parts = [whole ? message : attacker.damaged(message)];
      const headers = { ':path': exportPathOf(attack.signal), 'grpc-encoding': attack.encoding };
      const answer = await client.call({ headers, parts });
      const fault = grpcFault(answer, whole);
      if (fault !== undefined) throw new Error(`${fault} for ${described(attack)}`);
      return answer.status!;
    },
    raw: (attacker) => {
      const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
      const frames = attacker.noise(9 + attacker.random.integer(60));
      return sendRaw(
        port,
        attacker.random.integer(4) === 0 ? attacker.damaged(preface) : Buffer.concat([preface, frames]),
      );
    },
    async valid() {
      const headers = { ':path': exportPathOf('logs') };
      const { status } = await client.call({ headers, parts: [framed(request('logs'))] });
      if (status !== 0) throw new Error(`valid traffic got grpc-status ${status}`);
    },
    close: async () => client.close(),
  };
}

/** Whatever comes back, the connection must end once the client has closed its half. */
async function sendRaw(port: number, bytes: Buffer): Promise<void> {
  const socket = net.connect(port, '127.0.0.1').on('error', () => {});
  socket.end(bytes);
  socket.resume();
  await once(socket, 'close');
}

function described({ signal, json, encoding, body }: Attack): string {
  return `${signal}, ${json ? 'JSON' : 'protobuf'}, ${encoding}, ${body.toString('base64')}`;
}
