// Imports of Node's modules become calls that mean the same, and none is left over.

import { describe, expect, it } from '@jest/globals';
import { takeBuiltins } from '../../build/builtins.ts';

describe('a chunk', () => {
  it.each([
    ['import fs from "node:fs";', 'const fs = process.getBuiltinModule("node:fs");'],
    ['import * as fs from "node:fs";', 'const fs = process.getBuiltinModule("node:fs");'],
    [
      'import { a, b as c$1 } from "node:x/y";',
      'const { a, b: c$1 } = process.getBuiltinModule("node:x/y");',
    ],
    [
      'import net, { connect } from "node:net";',
      'const net = process.getBuiltinModule("node:net"); const { connect } = process.getBuiltinModule("node:net");',
    ],
  ])('has for %s a call', (code, call) => {
    expect(takeBuiltins(`import { b } from "./b.js";\n${code}\nb();\n`)).toBe(
      `import { b } from "./b.js";\n${call}\nb();\n`,
    );
  });

  it('keeps what only looks like one', () => {
    const code =
      '/* import fs from "node:fs"; */\nconst text = \'import fs from "node:fs";\';\nawait import("node:fs");\n';
    expect(takeBuiltins(code)).toBe(code);
  });

  it.each(['import "node:fs";', 'export { a } from "node:fs";', 'import fs from "node:fs" with { a: "b" };'])(
    'is refused with %s, which would stay',
    (code) => {
      expect(() => takeBuiltins(`${code}\n`)).toThrow('not known');
    },
  );
});
