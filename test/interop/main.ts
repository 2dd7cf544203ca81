// The interop suite as a program: Holdfast between the programs of others, and what went in compared with what came out.
// `npm run test:interop -- --help`

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cache, missing, programs } from './installed.ts';
import type { Peer } from './peer.ts';
import { peers } from './peers.ts';
import { Stage } from './stage.ts';

const help = `npm run test:interop -- [options]

  --install      first gets what is missing into ${cache} (minutes, and a network; needs go, python3, java and mvn)
  --only NAME    one peer; may be repeated
  --help

Peers:
${peers.map(({ name, summary }) => `  ${name.padEnd(20)}${summary}`).join('\n')}
`;

const { values: options } = parseArgs({
  options: {
    install: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(help);
  process.exit(0);
}
const unknown = options.only.find((name) => !peers.some((peer) => peer.name === name));
if (unknown !== undefined) {
  console.error(`there is no peer ${unknown}\n\n${help}`);
  process.exit(2);
}
if (options.install) install();
const rows: string[][] = [];
for (const peer of peers) {
  if (options.only.length === 0 || options.only.includes(peer.name)) rows.push(...(await play(peer)));
}
console.log(table([['peer', 'way', 'compared', ''], ...rows]));

function install(): void {
  for (const program of programs) {
    if (missing(program) === undefined) continue;
    try {
      program.install();
    } catch (error) {
      // The peers that need it are skipped, and say so.
      console.error((error as Error).message);
    }
  }
}

async function play(peer: Peer): Promise<string[][]> {
  const reason = peer.missing();
  if (reason !== undefined) return [[peer.name, '', '', `skipped: ${reason}`]];
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), `holdfast-interop-${peer.name}-`));
  const stage = await Stage.set(directory);
  try {
    const held = await peer.run(stage);
    await stage.clear();
    fs.rmSync(directory, { recursive: true, force: true });
    return held.map(({ way, compared }) => [peer.name, way, String(compared), 'same']);
  } catch (error) {
    await stage.clear();
    process.exitCode = 1;
    console.error(
      `${peer.name}: ${error instanceof Error ? error.message : String(error)}\nkept: ${directory}`,
    );
    return [[peer.name, '', '', 'DIFFERS']];
  }
}

function table(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
