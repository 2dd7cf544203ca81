// The receiver under siege, in a process of its own: that it ends is seen from outside, and its memory is its own.

import { startReceiver } from '../../receivers/otlp/harness.ts';

const { port, grpcPort, intake } = await startReceiver();
// What is taken is only counted: an intake that keeps it all would run out of memory by itself.
setInterval(() => intake.entries.splice(0), 100).unref();
process.send?.({ port, grpcPort });
process.on('message', () => process.send?.({ rss_bytes: process.memoryUsage().rss }));
process.on('disconnect', () => process.exit(0));
