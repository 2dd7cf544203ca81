// The senders of the syslog benchmark, a process of their own: lines of 200 bytes over TCP as fast as the agent reads them, or over
// UDP at a rate. Says how many it sent.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';

export interface SyslogLoad {
  readonly transport: 'tcp' | 'udp';
  readonly port: number;
  readonly lines: number;
  readonly form: 'rfc5424' | 'rfc3164';
  /** TCP connections. */
  readonly connections: number;
  /** UDP, lines per second. */
  readonly rate: number;
}

const LINE_BYTES = 200;
/** Lines that differ, so that nothing is measured that only works for one. */
const VARIANTS = 64;
/** TCP: lines of one write. */
const BLOCK_LINES = 4 * VARIANTS;
/** UDP: how often the rate is kept up, and so the size of a burst. */
const TICK_MS = 1;

function lineOf(form: SyslogLoad['form'], variant: number): string {
  const host = `edge-${String(variant).padStart(3, '0')}.site.example.com`;
  const head =
    form === 'rfc5424'
      ? `<${8 + (variant % 184)}>1 2026-11-21T12:${10 + (variant % 50)}:00.123456Z ${host} sshd ${1000 + variant} ID47 [origin@32473 ip="192.0.2.${variant}"] `
      : `<${8 + (variant % 184)}>Nov 21 12:${10 + (variant % 50)}:00 ${host} sshd[${1000 + variant}]: `;
  return `${head}Accepted publickey for operator from 192.0.2.${variant} port 50022 `.padEnd(
    LINE_BYTES - 1,
    'x',
  );
}

async function sendTcp({ port, lines, form, connections }: SyslogLoad): Promise<void> {
  const block = Array.from({ length: VARIANTS }, (_, index) => `${lineOf(form, index)}\n`).join('');
  const bytes = Buffer.from(block.repeat(BLOCK_LINES / VARIANTS));
  let left = Math.ceil(lines / BLOCK_LINES);
  const worker = async (): Promise<void> => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    while (left > 0) {
      left -= 1;
      if (!socket.write(bytes)) await once(socket, 'drain');
    }
    socket.end();
    await once(socket, 'close');
  };
  await Promise.all(Array.from({ length: connections }, worker));
}

async function sendUdp({ port, lines, form, rate }: SyslogLoad): Promise<void> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const datagrams = Array.from({ length: VARIANTS }, (_, index) => Buffer.from(lineOf(form, index)));
  const started = performance.now();
  let sent = 0;
  while (sent < lines) {
    const due = Math.min(lines, Math.ceil(((performance.now() - started) / 1000) * rate));
    while (sent < due) socket.send(datagrams[sent++ % VARIANTS]!);
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  socket.close();
}

process.on('message', async (load: SyslogLoad) => {
  try {
    await (load.transport === 'tcp' ? sendTcp(load) : sendUdp(load));
    const blocks = Math.ceil(load.lines / BLOCK_LINES);
    process.send?.({ sentLines: load.transport === 'tcp' ? blocks * BLOCK_LINES : load.lines });
  } catch (error) {
    process.send?.({ failed: String(error) });
  }
});
process.send?.({ ready: {} });
