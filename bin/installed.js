// Does node_modules hold what package-lock.json asks for? Two files are read and compared; nothing is run.

import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The names of packages that are missing or of another version. Empty where there is no lock to compare with.
 * `needed` names an optional package that counts as well, such as the Node for this platform.
 */
export function missingPackages(root, needed) {
  const wanted = readPackages(path.join(root, 'package-lock.json')) ?? {};
  const present = readPackages(path.join(root, 'node_modules', '.package-lock.json')) ?? {};
  const missing = [];
  for (const [place, wish] of Object.entries(wanted)) {
    // '' is the project itself. Packages for other platforms, and those of a production install, may be absent.
    if (place === '' || wish.dev === true || wish.devOptional === true || wish.link === true) continue;
    const name = place.replace(/^.*node_modules\//, '');
    const found = present[place];
    const mayBeAbsent = wish.optional === true && name !== needed;
    if (found === undefined ? mayBeAbsent : found.version === wish.version) continue;
    missing.push(name);
  }
  return missing;
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  } catch {
    return undefined;
  }
}
