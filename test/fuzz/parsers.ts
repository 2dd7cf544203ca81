// All parsers that are fuzzed. A new one is a file in parsers/ and a line here.

import type { Parser } from './parser.ts';
import { answerParser } from './parsers/answer.ts';
import { commandLineParser } from './parsers/command_line.ts';
import { deflateParser, gzipParser, zstdParser } from './parsers/compressed.ts';
import { configParser } from './parsers/config.ts';
import { durationParser } from './parsers/duration.ts';
import { addressParser, urlParser } from './parsers/endpoint.ts';
import { entryParser } from './parsers/entry.ts';
import { httpBodyParser } from './parsers/http_body.ts';
import { httpHeadParser } from './parsers/http_head.ts';
import { indexParser } from './parsers/index_file.ts';
import { jsonRequestParser } from './parsers/json_request.ts';
import { offsetTextParser } from './parsers/offset_text.ts';
import { otlpJsonParser } from './parsers/otlp_json.ts';
import { otlpWalkParser } from './parsers/otlp_walk.ts';
import { segmentParser } from './parsers/segment.ts';
import { sizeParser } from './parsers/size.ts';
import { storeParser } from './parsers/store.ts';
import { streamGlobParser } from './parsers/stream_glob.ts';
import { streamNameParser } from './parsers/stream_name.ts';
import { twoSlotParser } from './parsers/two_slot.ts';

export const parsers: readonly Parser[] = [
  segmentParser,
  indexParser,
  twoSlotParser,
  storeParser,
  entryParser,
  otlpWalkParser,
  otlpJsonParser,
  jsonRequestParser,
  gzipParser,
  deflateParser,
  zstdParser,
  httpHeadParser,
  httpBodyParser,
  answerParser,
  configParser,
  durationParser,
  sizeParser,
  addressParser,
  urlParser,
  offsetTextParser,
  streamNameParser,
  streamGlobParser,
  commandLineParser,
];
