// The OpenTelemetry SDK for Python in front of Holdfast: what its own encoders make of what it sends is what the backend has
// to get.

import path from 'node:path';
import { signals } from '../../../otlp/signal.ts';
import { missing, python } from '../installed.ts';
import type { Request } from '../items.ts';
import { Differs, type Held, type Peer } from '../peer.ts';

const program = path.join(import.meta.dirname, 'sdk_python.py');

export const sdkPython: Peer = {
  name: 'sdk-python',
  summary: 'the OpenTelemetry SDK for Python, in front',
  missing: () => missing(python),
  async run(stage) {
    const agent = await stage.simpleAgent();
    const endpoints = { http: agent.endpoint('http'), grpc: agent.endpoint('grpc') };
    const held: Held[] = [];
    for (const protocol of ['http', 'grpc'] as const) {
      for (const compression of ['none', 'gzip']) {
        const way = `${protocol}, ${compression}`;
        const mark = `python-${protocol}-${compression}`;
        const printed = await stage.complete(python.file, [
          program,
          protocol,
          compression,
          endpoints[protocol],
          mark,
        ]);
        held.push({ way, compared: await stage.arrived(way, requestsIn(printed), mark) });
      }
    }
    return held;
  },
};

function requestsIn(printed: string): Request[] {
  return printed
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [name, body = ''] = line.split(' ');
      const signal = signals.find((each) => each === name);
      if (!signal) throw new Differs('sdk_python.py printed something else', line);
      return { signal, body: Buffer.from(body, 'base64') };
    });
}
