// The syslog receiver: starts and stops its doors. Invariant: either all of them listen or none does.

import type { Endpoint, Intake, Receiver, ReceiverContext } from '../receiver.ts';
import { isElsewhere } from '../sharing.ts';
import type { SyslogReceiverConfig } from './config.ts';
import { DatagramDoor } from './datagram_door.ts';
import { StreamDoor } from './stream_door.ts';
import type { Pauses, Surroundings } from './surroundings.ts';

interface Door {
  /** @returns the address with its real port */
  start(): Promise<string>;
  stop(deadline: AbortSignal): Promise<void>;
}

const PAUSES: Pauses = { retry_ms: 1000, check_ms: 1000 };

export class SyslogReceiver implements Receiver {
  endpoints: readonly Endpoint[] = [];
  readonly #config: SyslogReceiverConfig;
  readonly #context: ReceiverContext;
  readonly #pauses: Pauses;
  #doors: Door[] = [];

  constructor(config: SyslogReceiverConfig, context: ReceiverContext, pauses = PAUSES) {
    this.#config = config;
    this.#context = context;
    this.#pauses = pauses;
  }

  async start(intake: Intake): Promise<void> {
    const { id, logger, connections, sharing } = this.#context;
    const config = this.#config;
    const surroundings: Surroundings = {
      id,
      logger,
      intake,
      connections,
      sharing,
      config,
      pauses: this.#pauses,
    };
    const endpoints: Endpoint[] = [];
    const open = async (protocol: string, door: Door): Promise<void> => {
      this.#doors.push(door);
      endpoints.push({ protocol, address: await door.start() });
    };
    try {
      const { tcp, udp, unix } = config;
      if (tcp) await open(tcp.tls ? 'tls' : 'tcp', new StreamDoor('tcp', tcp, surroundings));
      if (udp) await open('udp', new DatagramDoor(udp, surroundings));
      if (unix && !isElsewhere(unix.listen_address, sharing))
        await open('unix', new StreamDoor('unix', unix, surroundings));
    } catch (error) {
      await this.stop(AbortSignal.abort());
      throw error;
    }
    this.endpoints = endpoints;
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const doors = this.#doors;
    this.#doors = [];
    await Promise.all(doors.map((door) => door.stop(deadline)));
  }
}

export const create = (config: SyslogReceiverConfig, context: ReceiverContext): Receiver =>
  new SyslogReceiver(config, context);
