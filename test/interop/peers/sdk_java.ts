// The OpenTelemetry SDK for Java in front of Holdfast.

import path from 'node:path';
import { javaSdk, missing } from '../installed.ts';
import type { Peer } from '../peer.ts';
import { runPrintingSdk } from './printing_sdk.ts';

export const sdkJava: Peer = {
  name: 'sdk-java',
  summary: 'the OpenTelemetry SDK for Java, in front',
  missing: () => missing(javaSdk),
  run: (stage) =>
    runPrintingSdk(stage, 'java', 'java', [
      '-Dfile.encoding=UTF-8',
      '-cp',
      `${javaSdk.file}/*`,
      path.join(import.meta.dirname, 'sdk_java.java'),
    ]),
};
