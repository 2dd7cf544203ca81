// What a user may say about the syslog receiver: the Collector's keys where it has them.
// Invariant: without a word it listens on 127.0.0.1 alone, and finds out by itself what it is sent.

import * as z from 'zod';
import { durationMs, listenAddress, section, sectionOf, sizeBytes } from '../../config/fields.ts';
import { door } from '../server/config.ts';
import { isZone } from './zone.ts';

const { max_connections, socket_mode, tls } = door;
const MIB = 2 ** 20;
/** Beside the port that syslog has, which only root may listen on. */
const ENDPOINT = '127.0.0.1:5514';

/** A message may have this many bytes; the rest is cut off, and the record says so. */
const maxLogSize = (largest_bytes: number) =>
  sizeBytes({ min: 480, max: largest_bytes }).prefault(`${largest_bytes < MIB ? '65535' : '64KiB'}`);

const networkAddress = () =>
  listenAddress()
    .prefault(ENDPOINT)
    .refine((address) => address.kind === 'tcp', 'host:port; a socket file is listened on under unix:');

const socketAddress = z.preprocess(
  (value) => (typeof value === 'string' && !value.startsWith('unix:') ? `unix:${value}` : value),
  listenAddress().refine((address) => address.kind === 'unix', 'the path of a socket file'),
);

/** Whether records say where they came from, under the Collector's names `net.peer.ip` and so on. */
const addAttributes = () => z.boolean().default(false);

const stream = {
  max_log_size: maxLogSize(16 * MIB),
  max_connections,
  /** A connection that is silent for so long is closed; 0: never. Keep-alive finds those whose client is gone. */
  idle_timeout: durationMs({ min: 0 }).default(0),
};

const tcp = section({ listen_address: networkAddress(), ...stream, tls, add_attributes: addAttributes() });

const unix = section({ listen_address: socketAddress, socket_mode, ...stream });

const udp = section({
  listen_address: networkAddress(),
  max_log_size: maxLogSize(65_535),
  /** Asked of the kernel, which gives at most net.core.rmem_max: what comes while the agent is busy waits there. */
  receive_buffer_size: sizeBytes({ min: 4096, max: 1024 * MIB }).prefault('8MiB'),
  /** Other processes may listen on the same port, and the kernel shares the senders out (SO_REUSEPORT). */
  reuse_port: z.boolean().default(false),
  add_attributes: addAttributes(),
});

const value = z.union([z.string(), z.number(), z.boolean()]);

const schema = z
  .strictObject({
    tcp: tcp.optional(),
    udp: udp.optional(),
    unix: unix.optional(),
    /** `auto`: found out for each message. */
    protocol: z.enum(['auto', 'rfc5424', 'rfc3164']).default('auto'),
    /** Where clocks are whose times name no zone. */
    location: z.string().refine(isZone, 'a time zone such as Europe/Berlin, UTC or Local').default('UTC'),
    /** Streams: true, each message has its length in front; false, never; unset, found out for each connection. */
    enable_octet_counting: z.boolean().optional(),
    /** Streams: what ends a message that has no length in front; unset, found out for each connection. */
    non_transparent_framing_trailer: z.enum(['LF', 'NUL']).optional(),
    /** Messages become one entry of the log until so much time has passed, or 240 KiB or 4,096 messages have come. */
    flush_interval: durationMs({ min: 1, max: 5000 }).prefault('200ms'),
    /** On the resource of all records. */
    resource: z.record(z.string().min(1), value).default({}),
    /** On each record. */
    attributes: z.record(z.string().min(1), value).default({}),
  })
  .superRefine((config, context) => {
    if (config.enable_octet_counting !== true || config.non_transparent_framing_trailer === undefined) return;
    const path = ['non_transparent_framing_trailer'];
    context.addIssue({ code: 'custom', path, message: 'means nothing with enable_octet_counting' });
  });

/** Which doors are open: those that are named; tcp and udp where none is. */
export const syslogReceiverSchema = sectionOf(
  z.preprocess((value) => {
    const config = (value ?? {}) as { tcp?: unknown; udp?: unknown; unix?: unknown };
    const isNamed = config.tcp !== undefined || config.udp !== undefined || config.unix !== undefined;
    return isNamed || typeof config !== 'object' ? value : { ...config, tcp: {}, udp: {} };
  }, schema),
);

export type SyslogReceiverConfig = z.output<typeof schema>;
export type TcpConfig = z.output<typeof tcp>;
export type UdpConfig = z.output<typeof udp>;
export type UnixConfig = z.output<typeof unix>;
