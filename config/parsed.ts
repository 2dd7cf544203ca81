// What the small parsers of this folder answer. A reason never repeats the text it was given: that text may be a
// secret that was put in the wrong place.

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });

export const unparsed = (reason: string): Parsed<never> => ({ ok: false, reason });
