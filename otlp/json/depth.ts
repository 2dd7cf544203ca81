// How deep messages may nest within messages, in protobuf and in JSON alike.
// Invariant: one bound for both directions, so that whatever one of them took the other can give back.

/** Parsers of protobuf stop at 100 levels too, and attribute values nest as the client likes. */
export const DEPTH_MAX = 100;
