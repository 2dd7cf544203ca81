// Whoever is bundled is named with his licence, once, and nobody comes in without one.

import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { thirdPartyText } from '../../build/third_party.ts';
import { removeDirectory, temporaryDirectory } from '../e2e/temporary.ts';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => removeDirectory(directory));

/** @returns the path of a file in the package */
function install(place: string, manifest: object, files: Record<string, string>): string {
  const folder = path.join(directory, 'node_modules', place);
  fs.mkdirSync(path.join(folder, 'lib'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
  return path.join(folder, 'lib/index.js');
}

describe('the text that names who is bundled', () => {
  it('has name, version and licence of each package, scoped or not, with what it asks to be told', () => {
    const plain = install(
      'plain',
      { name: 'plain', version: '1.0.0', license: 'MIT' },
      { LICENSE: 'Copyright P' },
    );
    const scoped = install(
      '@some/scoped',
      { name: '@some/scoped', version: '2.0.0', license: 'Apache-2.0' },
      { 'LICENSE.md': 'Copyright S', NOTICE: 'Made by S' },
    );
    const text = thirdPartyText([plain, scoped]);
    for (const part of ['\nplain 1.0.0 (MIT)\n', 'Copyright P']) expect(text).toContain(part);
    for (const part of ['\n@some/scoped 2.0.0 (Apache-2.0)\n', 'Copyright S', 'Made by S']) {
      expect(text).toContain(part);
    }
  });

  it('says once what several files and several installed copies of one version say', () => {
    const manifest = { name: 'twice', version: '1.0.0', license: 'ISC' };
    const outer = install('twice', manifest, { LICENSE: 'Copyright T' });
    const inner = install('other/node_modules/twice', manifest, { LICENSE: 'Copyright T' });
    const text = thirdPartyText([outer, path.join(path.dirname(outer), 'more.js'), inner]);
    expect(text.match(/Copyright T/g)).toHaveLength(1);
  });

  it('is refused where a package has no licence text', () => {
    const file = install('bare', { name: 'bare', version: '1.0.0', license: 'MIT' }, {});
    expect(() => thirdPartyText([file])).toThrow('has no licence text');
  });
});
