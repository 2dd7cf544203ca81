// `npm run build`: makes dist/, which is what the package ships. Invariant: everything in dist/ is of this run.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { bundle } from './bundle.ts';
import { thirdPartyText } from './third_party.ts';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');

fs.rmSync(dist, { recursive: true, force: true });
const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
// Types only: what runs is bundled from the same sources.
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(1);
const { foreignFiles } = await bundle(root, dist);
fs.writeFileSync(path.join(dist, 'THIRD-PARTY.txt'), thirdPartyText(foreignFiles));
