// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references under test are written so.
// The whole way of a configuration: YAML, substitution, merging, and the agent's schema.

import fs from 'node:fs';
import { components } from '../../../agent/components.ts';
import { defaultConfig } from '../../../agent/default_config.ts';
import { readAgentConfig } from '../../../agent/schema.ts';
import { ConfigError, formatProblem } from '../../../config/problem.ts';
import { loadConfig } from '../../../config/source.ts';
import { type Parser, promise } from '../parser.ts';

const SECRET = 'hunter2-hunter2';
const example = (name: string): Buffer =>
  fs.readFileSync(new URL(`../../../examples/${name}.yaml`, import.meta.url));

export const configParser: Parser = {
  name: 'config',
  promise: 'a frozen configuration or problems with their places; nothing that was substituted is shown',
  seeds: [Buffer.from(defaultConfig.text), example('gateway'), example('collector')],
  words: [
    '${env:S}',
    '${S}',
    '${NO:-1}',
    '${file:/x}',
    '${',
    '$$',
    '&x ',
    '*x',
    '<<: *x',
    '- ',
    ': ',
    '\n  ',
    '\n',
    '\t',
    '{',
    '}',
    '[',
    ']',
    '|\n',
    '!!binary ',
    '!t ',
    '---\n',
    '%YAML 9\n',
    '"',
    "'",
    '#',
    '\0',
    '\uFEFF',
    '__proto__: ',
    'constructor: ',
    '.nan',
    '1e999',
    '-1',
    '99999999999999999999',
    '10s',
    '1GiB',
    'otlp',
    'traces',
    'null',
    '? ',
  ],
  inputMax_bytes: 8 * 1024,
  allocationMax_bytes: 4 * 1024 * 1024,
  shortRun: 150,
  check(input) {
    try {
      const source = loadConfig({
        files: [{ name: 'fuzz.yaml', text: input.toString('utf8') }],
        env: { S: SECRET },
        readText: () => ({ ok: true, value: SECRET }),
      });
      const { config, problems, notes } = readAgentConfig(source, components);
      const said = [...problems.map(formatProblem), ...notes].join('\n');
      promise(!said.includes(SECRET), `what was substituted is shown: ${said}`);
      for (const { line, column } of problems) promise(line >= 0 && column >= 0, `a place ${line}:${column}`);
      if (!config) {
        promise(
          problems.some(({ severity }) => severity === 'error'),
          'refused without a reason',
        );
        return 'refused';
      }
      promise(Object.isFrozen(config), 'a configuration that can be changed');
      return 'accepted';
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      promise(error.problems.length > 0 && !error.message.includes(SECRET), `refused: ${error.message}`);
      return 'refused';
    }
  },
};
