// `npm run docs`: makes the tables of options anew from the schemas.

import fs from 'node:fs';
import path from 'node:path';
import { optionTables, withTable } from './option_tables.ts';

const root = path.resolve(import.meta.dirname, '../..');
for (const table of optionTables) {
  const file = path.join(root, table.readme);
  fs.writeFileSync(file, withTable(fs.readFileSync(file, 'utf8'), table));
}
