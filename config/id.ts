// Component and pipeline ids, `type` or `type/name`, by the Collector's rules.

import { type Parsed, parsed, unparsed } from './parsed.ts';

export interface ComponentId {
  readonly type: string;
  /** Undefined where the id is the bare type. */
  readonly name: string | undefined;
}

const typePattern = /^[A-Za-z][0-9A-Za-z_]{0,62}$/;
/** No separators, control characters or symbols; what is left prints and can be typed. */
const namePattern = /^[^\p{Z}\p{C}\p{S}]+$/u;
const maxNameLength = 1024;

export function parseId(text: string): Parsed<ComponentId> {
  const slash = text.indexOf('/');
  const type = slash === -1 ? text : text.slice(0, slash);
  if (type === '') return unparsed('the type is missing: write type or type/name');
  if (!typePattern.test(type))
    return unparsed('a type begins with a letter and has letters, digits and _ only');
  if (slash === -1) return parsed({ type, name: undefined });
  const name = text.slice(slash + 1);
  if (name === '') return unparsed('the name after / is missing');
  if (name.length > maxNameLength || !namePattern.test(name)) {
    return unparsed('a name has no white space, control characters or symbols');
  }
  return parsed({ type, name });
}

export function formatId(id: ComponentId): string {
  return id.name === undefined ? id.type : `${id.type}/${id.name}`;
}
