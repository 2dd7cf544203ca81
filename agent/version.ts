// The version of this program, as package.json says it: beside the source, or one folder further up from dist/.

import { readFileSync } from 'node:fs';

/** Looked for upwards, so that it works from the source and from dist/ alike. */
export function readVersion(): string {
  for (const up of ['../package.json', '../../package.json']) {
    const manifest = read(new URL(up, import.meta.url));
    if (manifest?.name === 'holdfast' && manifest.version) return manifest.version;
  }
  return '0.0.0-unknown';
}

function read(url: URL): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(url, 'utf8'));
  } catch {
    return undefined;
  }
}
