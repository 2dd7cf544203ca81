// The Collector and Holdfast ask each other who they are: its clients before our receivers, our exporters before its
// receivers, by the extension of the same name. Invariant: each way is tried with the wrong token too, and nothing comes of it.

import { selfSigned } from '../../exporters/otlp/self_signed.ts';
import { collector, missing } from '../installed.ts';
import { Differs, type Held, type Peer } from '../peer.ts';
import { freePort, post, QUICK } from '../stage.ts';
import { requestOf } from '../telemetry.ts';

const REQUESTS = 10;
const HOST = 'guard.test';
const protocols = ['http', 'grpc'] as const;
type Protocol = (typeof protocols)[number];
const tokens = ['right', 'wrong'] as const;
type Token = (typeof tokens)[number];

/** The same for both programs: the guard of receivers is also what the right exporter shows. */
const extensions =
  '{ bearertokenauth/right: { token: the-right-token }, bearertokenauth/wrong: { token: another-token } }';
const running = '[bearertokenauth/right, bearertokenauth/wrong]';

/** Where one of the two programs listens. */
interface Doors {
  /** Open to everybody; what comes in leaves by an exporter that shows this token over this protocol. */
  readonly open: Readonly<Record<`${Protocol}_${Token}`, number>>;
  readonly guarded: Readonly<Record<Protocol, number>>;
}

async function doors(): Promise<Doors> {
  const [http_right, http_wrong, grpc_right, grpc_wrong, http, grpc] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  return { open: { http_right, http_wrong, grpc_right, grpc_wrong }, guarded: { http, grpc } };
}

function receivers({ open, guarded }: Doors): string {
  const guard = 'auth: { authenticator: bearertokenauth/right }';
  // Go's gRPC shows no token without TLS.
  const tls = 'tls: { cert_file: cert.pem, key_file: key.pem }';
  const entrances = Object.entries(open).map(
    ([way, port]) => `  otlp/${way}: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } }`,
  );
  return [
    ...entrances,
    '  otlp/guarded:',
    '    protocols:',
    `      http: { endpoint: "127.0.0.1:${guarded.http}", ${guard} }`,
    `      grpc: { endpoint: "127.0.0.1:${guarded.grpc}", ${guard}, ${tls} }`,
  ].join('\n');
}

type Types = Readonly<Record<Protocol, string>>;

/** To the guarded doors of the other one. */
function exporters(types: Types, { guarded }: Doors): string {
  const tls = `tls: { ca_file: cert.pem, server_name_override: ${HOST} }`;
  const where: Readonly<Record<Protocol, string>> = {
    http: `endpoint: "http://127.0.0.1:${guarded.http}"`,
    grpc: `endpoint: "https://127.0.0.1:${guarded.grpc}", ${tls}`,
  };
  return protocols
    .flatMap((protocol) =>
      tokens.map((token) => {
        const shown = `auth: { authenticator: bearertokenauth/${token} }`;
        return `  ${types[protocol]}/${token}: { ${where[protocol]}, ${QUICK}, ${shown} }`;
      }),
    )
    .join('\n');
}

function pipelines(types: Types): string {
  const ways = protocols.flatMap((protocol) =>
    tokens.map(
      (token) =>
        `    logs/${protocol}_${token}: { receivers: [otlp/${protocol}_${token}], exporters: [${types[protocol]}/${token}] }`,
    ),
  );
  return [
    `    logs/guarded: { receivers: [otlp/guarded], exporters: [${types.http}/backend] }`,
    ...ways,
  ].join('\n');
}

export const collectorGuarded: Peer = {
  name: 'collector-guarded',
  summary: 'the Collector and Holdfast asking each other for a token, over HTTP and gRPC with TLS',
  missing: () => missing(collector),
  async run(stage) {
    const { cert, key } = selfSigned(HOST);
    stage.write('cert.pem', cert);
    stage.write('key.pem', key);
    const [theirs, ours] = [await doors(), await doors()];
    const theirTypes = { http: 'otlphttp', grpc: 'otlp' };
    const ourTypes = { http: 'otlp_http', grpc: 'otlp_grpc' };
    const configuration = stage.write(
      'collector.yaml',
      `receivers:
${receivers(theirs)}
exporters:
  otlphttp/backend: { endpoint: "${stage.backend.url}", compression: none }
${exporters(theirTypes, ours)}
extensions: ${extensions}
service:
  extensions: ${running}
  telemetry: { metrics: { level: none } }
  pipelines:
${pipelines(theirTypes)}
`,
    );
    stage.start(collector.file, ['--config', configuration]);
    await stage.agent({
      receivers: receivers(ours),
      exporters: `  otlp_http/backend: { endpoint: "${stage.backend.url}" }\n${exporters(ourTypes, theirs)}`,
      pipelines: pipelines(ourTypes),
      extensions,
      running,
    });
    const held: Held[] = [];
    for (const [who, { open }] of Object.entries({ collector: theirs, holdfast: ours })) {
      for (const protocol of protocols) {
        const mark = (token: Token): string => `${who}-${protocol}-${token}`;
        const sent = (token: Token) =>
          Array.from({ length: REQUESTS }, (_, index) => requestOf('logs', mark(token), index));
        const url = (token: Token): string => `http://127.0.0.1:${open[`${protocol}_${token}`]}`;
        await stage.until(`${url('wrong')} listens`, async () => (await fetch(url('wrong'))).status > 0);
        // The wrong one first, so that it had its time when the right one has arrived.
        await post(url('wrong'), sent('wrong'));
        await post(url('right'), sent('right'));
        const way = `${protocol}, shown by ${who}`;
        held.push({ way, compared: await stage.arrived(way, sent('right'), mark('right')) });
        if (stage.backend.received.some(({ body }) => body.includes(mark('wrong')))) {
          throw new Differs(`${way}: let in with the wrong token`, '');
        }
      }
    }
    return held;
  },
};
