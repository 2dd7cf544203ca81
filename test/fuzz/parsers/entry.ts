// otlp/entry.ts: the header of the agent's own entries.

import { HoldfastError } from '../../../config/error.ts';
import { decodeEntry, ENTRY_HEADER_BYTES, encodeEntryHeader } from '../../../otlp/entry.ts';
import { type Parser, promise, refusedAs } from '../parser.ts';

export const entryParser: Parser = {
  name: 'entry',
  promise: 'a header that this version would write, or HF_ENTRY_INVALID; no byte is lost',
  seeds: [
    Buffer.concat([encodeEntryHeader('traces', 'identity', 1, 3), Buffer.from('abc')]),
    Buffer.concat([encodeEntryHeader('logs', 'gzip', 0xffffffff, 0), Buffer.from([0x1f, 0x8b])]),
    Buffer.from(encodeEntryHeader('metrics', 'identity', 0, 0)),
  ],
  inputMax_bytes: 64,
  check(input) {
    try {
      const { signal, codec, items, rawLength, payload } = decodeEntry(input);
      const again = Buffer.concat([encodeEntryHeader(signal, codec, items, rawLength), payload]);
      promise(again.equals(input), 'written again it is another entry');
      promise(payload.length === input.length - ENTRY_HEADER_BYTES, 'bytes were lost');
      return 'accepted';
    } catch (error) {
      const verdict = refusedAs(error, HoldfastError);
      promise((error as HoldfastError).code === 'HF_ENTRY_INVALID', 'another error');
      return verdict;
    }
  },
};
