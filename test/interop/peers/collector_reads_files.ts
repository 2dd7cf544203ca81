// The Collector's readers of OTLP JSON behind Holdfast's file exporter: what its otlpjsonfile receiver would take from the file.

import { fileReader, missing } from '../installed.ts';
import type { Request } from '../items.ts';
import { compare } from '../items.ts';
import type { Peer } from '../peer.ts';
import { post } from '../stage.ts';
import { everySignal } from '../telemetry.ts';

const REQUESTS = 30;

export const collectorReadsFiles: Peer = {
  name: 'collector-reads-files',
  summary: "the Collector's readers of OTLP JSON, behind the file exporter",
  missing: () => missing(fileReader),
  async run(stage) {
    const out = `${stage.directory}/out.jsonl`;
    const agent = await stage.simpleAgent(`file: { path: ${out} }`);
    const sent = everySignal('file', REQUESTS);
    await post(agent.endpoint('http'), sent);
    let came: readonly Request[] = [];
    await stage.until('the file has all requests', async () => {
      came = requestsIn(await stage.complete(fileReader.file, [out]));
      return came.length >= sent.length;
    });
    return [{ way: 'JSON lines', compared: compare('JSON lines', sent, came) }];
  },
};

function requestsIn(text: string): Request[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [signal, body] = line.split(' ') as [Request['signal'], string];
      return { signal, body: Buffer.from(body, 'base64') };
    });
}
