// Before `npm start` in a checkout: installs what package-lock.json asks for where it is not there yet, and is silent
// and quick where it is. Works on Node 20, which may be all that the machine has.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingPackages } from './installed.js';
import { bundleFor, isAtLeast, oldestVersion, parseVersion } from './launch.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const isOldNode = !isAtLeast(parseVersion(process.version), oldestVersion);
const missing = missingPackages(
  root,
  isOldNode ? bundleFor(process.platform, process.arch)?.name : undefined,
);
if (missing.length > 0) {
  const what = missing.length === 1 ? missing[0] : `${missing.length} packages`;
  process.stderr.write(
    `holdfast: ${what} missing or outdated; running 'npm ci' once, which may take a minute\n`,
  );
  process.exitCode = install();
}

function install() {
  const args = ['ci', '--no-audit', '--no-fund'];
  // npm says which npm it is; what is printed by the command itself must stay what was asked for, so npm gets stderr.
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? process.env.npm_execpath : undefined;
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  const result =
    npm === undefined
      ? spawnSync('npm', args, options)
      : spawnSync(process.execPath, [npm, ...args], options);
  if (result.status === 0) return 0;
  const reason = result.error === undefined ? `it ended with code ${result.status}` : result.error.message;
  process.stderr.write(`holdfast: 'npm ci' failed (${reason}); run it by hand to see why\n`);
  return result.status ?? 1;
}
