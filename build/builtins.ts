// Node's own modules, asked for by call in place of import: to import one reads all that it exports, and so loads what only a
// getter would (node:http the fetch client, node:fs its streams, node:zlib a reader of archives), 40 modules that nobody uses.
// Invariant: a chunk means the same afterwards, and no import of a `node:` module is left in it.

const statement = /^import (?:([\w$]+)|\* as ([\w$]+))?(?:, )?(?:\{ ([^}]*) \})? from "(node:[^"]+)";$/gm;

/** @param code of a chunk as rolldown writes it @throws Error where an import has a form that it was not seen to have */
export function takeBuiltins(code: string): string {
  const taken = code.replace(
    statement,
    (_, whole?: string, all?: string, names?: string, module?: string) => {
      const from = `process.getBuiltinModule("${module}")`;
      const lines = [whole, all]
        .filter((name) => name !== undefined)
        .map((name) => `const ${name} = ${from};`);
      if (names !== undefined) lines.push(`const { ${names.replaceAll(' as ', ': ')} } = ${from};`);
      return lines.join(' ');
    },
  );
  const left = /^import .*"node:.*$/m.exec(taken) ?? /^export .* from "node:.*$/m.exec(taken);
  if (left) throw new Error(`the bundle imports a module of Node's in a way that is not known: ${left[0]}`);
  return taken;
}
