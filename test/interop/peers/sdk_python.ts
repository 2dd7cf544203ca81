// The OpenTelemetry SDK for Python in front of Holdfast.

import path from 'node:path';
import { missing, python } from '../installed.ts';
import type { Peer } from '../peer.ts';
import { runPrintingSdk } from './printing_sdk.ts';

export const sdkPython: Peer = {
  name: 'sdk-python',
  summary: 'the OpenTelemetry SDK for Python, in front',
  missing: () => missing(python),
  run: (stage) =>
    runPrintingSdk(stage, 'python', python.file, [path.join(import.meta.dirname, 'sdk_python.py')]),
};
