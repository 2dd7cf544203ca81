// The heap of new objects stays as small as it starts (1 MiB). Invariant: this runs before anything else of the agent does,
// so that loading modules does not make it grow.

import { setFlagsFromString } from 'node:v8';

// Node reads sockets into a fresh buffer of 64 KiB per chunk, outside of this heap; their memory comes back when the small
// objects that stand for them are collected. A heap that has grown to 16 MiB and more is collected so rarely that hundreds of
// megabytes of such buffers go through cold memory, pay for their page faults, and force collections of everything instead.
setFlagsFromString('--semi-space-growth-factor=1');
