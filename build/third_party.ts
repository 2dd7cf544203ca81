// Who wrote what is bundled, and under which licence. Invariant: a package that came in without a licence text ends the build.

import fs from 'node:fs';
import path from 'node:path';

/** @param files absolute paths of the bundled files of other packages */
export function thirdPartyText(files: readonly string[]): string {
  const packages = [...new Set(files.map(packageOf))].sort();
  // One version may be installed in several places.
  const chapters = packages.map((directory) => {
    const { name, version, license } = JSON.parse(
      fs.readFileSync(path.join(directory, 'package.json'), 'utf8'),
    );
    return [`${name} ${version} (${license})`, '', ...licenceTexts(directory)].join('\n');
  });
  const line = `\n${'-'.repeat(80)}\n\n`;
  return `dist/ contains parts of the following packages.\n${line}${[...new Set(chapters)].join(line)}`;
}

/** `/…/node_modules/@scope/name` of a file somewhere in it. */
function packageOf(file: string): string {
  const start = file.lastIndexOf('/node_modules/') + '/node_modules/'.length;
  const parts = file.slice(start).split('/');
  return file.slice(0, start) + parts.slice(0, parts[0]!.startsWith('@') ? 2 : 1).join('/');
}

function licenceTexts(directory: string): string[] {
  const names = fs.readdirSync(directory).filter((name) => /^(licen[cs]e|notice)(\.(md|txt))?$/i.test(name));
  if (names.length === 0) throw new Error(`${directory} has no licence text`);
  return names.sort().map((name) => `${fs.readFileSync(path.join(directory, name), 'utf8').trim()}\n`);
}
