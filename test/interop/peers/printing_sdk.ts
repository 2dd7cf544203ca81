// An SDK in front of Holdfast as a program that prints what its own encoders make of what it sends, which is what the backend
// has to get. It is started with the protocol, the compression, the endpoint and a mark that all items carry.

import { signals } from '../../../otlp/signal.ts';
import type { Request } from '../items.ts';
import { Differs, type Held } from '../peer.ts';
import type { Stage } from '../stage.ts';

/** @param args of the command, before those that say what to send. */
export async function runPrintingSdk(
  stage: Stage,
  name: string,
  command: string,
  args: readonly string[],
): Promise<Held[]> {
  const agent = await stage.simpleAgent();
  const held: Held[] = [];
  for (const protocol of ['http', 'grpc'] as const) {
    for (const compression of ['none', 'gzip']) {
      const way = `${protocol}, ${compression}`;
      const mark = `${name}-${protocol}-${compression}`;
      const printed = await stage.complete(command, [
        ...args,
        protocol,
        compression,
        agent.endpoint(protocol),
        mark,
      ]);
      held.push({ way, compared: await stage.arrived(way, requestsIn(printed), mark) });
    }
  }
  return held;
}

function requestsIn(printed: string): Request[] {
  return printed
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [name, body = ''] = line.split(' ');
      const signal = signals.find((each) => each === name);
      if (!signal) throw new Differs('the SDK printed something else', line);
      return { signal, body: Buffer.from(body, 'base64') };
    });
}
