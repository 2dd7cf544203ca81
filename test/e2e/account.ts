// The account that a sender keeps of an agent: what it sent, what was acknowledged, what came out at the other end.
// Invariant: content is known by a hash of all its bytes, so what arrives changed counts as lost and as invented.

import type { Seeded } from '../../bench/load/payload.ts';
import type { AgentProcess } from './agent_process.ts';
import type { Backend } from './backend.ts';
import { ContentClient, contentOf, hashesIn, type Refused, ways } from './content.ts';

const CLIENTS = 6;

export class Account {
  acknowledged = 0;
  refused = 0;
  /** Arrivals of what had arrived before: delivery is at least once. */
  duplicates = 0;
  /** Arrived, and never sent. */
  readonly invented: string[] = [];
  readonly #random: Seeded;
  readonly #sizes_bytes: readonly number[];
  readonly #sent = new Set<string>();
  readonly #arrived = new Set<string>();
  /** Acknowledged and not yet arrived. */
  readonly #owed = new Set<string>();

  /** @param sizes_bytes filler of a request; the second half of them is rare. */
  constructor(random: Seeded, sizes_bytes: readonly number[]) {
    this.#random = random;
    this.#sizes_bytes = sizes_bytes;
  }

  /** Sends over several connections, in every way there is, until so many more are acknowledged or the agent has ended. */
  async load(agent: AgentProcess, more: number, over: () => void): Promise<void> {
    const enough = this.acknowledged + more;
    let ended = false;
    const finish = (): void => {
      if (ended) return;
      ended = true;
      // In the middle of what the other clients send.
      over();
    };
    void agent.exited.then(() => {
      ended = true;
    });
    const run = async (): Promise<void> => {
      const client = new ContentClient(agent.endpoint('http'), agent.endpoint('grpc'));
      while (!ended) {
        await this.send(client);
        if (this.acknowledged >= enough) finish();
      }
      client.close();
    };
    await Promise.all(Array.from({ length: CLIENTS }, run));
  }

  /** Sends so many requests over several connections, whatever becomes of them. */
  async attempt(agent: AgentProcess, requests: number, onRefused: (refused: Refused) => void): Promise<void> {
    let begun = 0;
    const run = async (): Promise<void> => {
      const client = new ContentClient(agent.endpoint('http'), agent.endpoint('grpc'));
      client.onRefused = onRefused;
      while (begun++ < requests) await this.send(client);
      client.close();
    };
    await Promise.all(Array.from({ length: CLIENTS }, run));
  }

  /** Sends one request; whether it was acknowledged. */
  async send(client: ContentClient): Promise<boolean> {
    const sizes = this.#random.next() % 10 === 0 ? this.#sizes_bytes.length : this.#sizes_bytes.length / 2;
    const filler_bytes = this.#sizes_bytes[this.#random.next() % sizes]!;
    const content = contentOf(this.#random, String(this.#sent.size), filler_bytes);
    const { hash } = content;
    this.#sent.add(hash);
    const taken = await client.send(content, ways[this.#random.next() % ways.length]!);
    if (taken) {
      this.acknowledged += 1;
      if (!this.#arrived.has(hash)) this.#owed.add(hash);
    } else this.refused += 1;
    return taken;
  }

  /** Takes in what the backend has received and returns how many acknowledged requests have not arrived yet. */
  collect(backend: Backend): number {
    for (const { signal, body } of backend.received.splice(0)) {
      for (const hash of hashesIn(signal, body)) {
        if (this.#arrived.has(hash)) this.duplicates += 1;
        else if (!this.#sent.has(hash)) this.invented.push(hash);
        this.#arrived.add(hash);
        this.#owed.delete(hash);
      }
    }
    return this.#owed.size;
  }
}
