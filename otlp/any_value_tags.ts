// The protobuf tags of AnyValue and of what it is made of (common.proto), for those who write it byte by byte.
// Invariant: each is the field's number and wire type as they stand on the wire, in one byte.

export const STRING_VALUE = 0x0a;
export const BOOL_VALUE = 0x10;
export const INT_VALUE = 0x18;
export const DOUBLE_VALUE = 0x21;
export const ARRAY_VALUE = 0x2a;
export const KVLIST_VALUE = 0x32;
/** Of ArrayValue and KeyValueList, whose only field it is. */
export const VALUES = 0x0a;
/** Of KeyValue. */
export const KEY = 0x0a;
export const VALUE = 0x12;
