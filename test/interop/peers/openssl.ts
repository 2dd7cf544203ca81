// openssl s_client in front of Holdfast's file exporter: syslog over TLS from a client that knows nothing of syslog. Invariant:
// the client verifies the certificate, and each version of TLS that is offered carries every message whole.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { selfSigned } from '../../exporters/otlp/self_signed.ts';
import { Differs, type Held, type Peer } from '../peer.ts';
import type { Stage } from '../stage.ts';
import { allCame, newMessages, PRIORITIES } from '../syslog_messages.ts';

const HOST = 'door.test';
const versions = ['tls1_2', 'tls1_3'] as const;

export const openssl: Peer = {
  name: 'openssl',
  summary: 'openssl s_client, in front, syslog over TLS 1.2 and 1.3, into the file exporter',
  missing() {
    const { status } = spawnSync('openssl', ['version']);
    return status === 0 ? undefined : 'openssl is not installed: apt-get install openssl';
  },
  async run(stage) {
    const { cert, key } = selfSigned(HOST);
    stage.write('cert.pem', cert);
    stage.write('key.pem', key);
    const out = `${stage.directory}/out.jsonl`;
    const agent = await stage.agent({
      receivers:
        '  syslog: { tcp: { listen_address: "127.0.0.1:0", tls: { cert_file: cert.pem, key_file: key.pem } } }',
      exporters: `  file: { path: ${out} }`,
      pipelines: '    logs: { receivers: [syslog], exporters: [file] }',
    });
    const held: Held[] = [];
    for (const version of versions) {
      const sent = newMessages(version, PRIORITIES, true);
      const counted = sent.map(({ bytes }) => Buffer.concat([Buffer.from(`${bytes.length} `), bytes]));
      await pipe(stage, agent.endpoint('tls'), version, Buffer.concat(counted));
      held.push({
        way: `${version}, octet counting (RFC 5425)`,
        compared: await allCame(stage, version, sent, out),
      });
    }
    return held;
  },
};

/** @throws Differs where the handshake, the name or the certificate is not right */
async function pipe(stage: Stage, address: string, version: string, bytes: Buffer): Promise<void> {
  const trust = [
    '-CAfile',
    'cert.pem',
    '-verify_return_error',
    '-verify_hostname',
    HOST,
    '-servername',
    HOST,
  ];
  const args = ['s_client', '-connect', address, `-${version}`, '-quiet', '-no_ign_eof', ...trust];
  const child = spawn('openssl', args, { cwd: stage.directory, stdio: ['pipe', 'ignore', 'pipe'] });
  const words: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => words.push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(bytes);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Differs(`openssl ended with ${code}`, Buffer.concat(words).toString('utf8'));
}
