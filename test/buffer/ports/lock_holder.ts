// A process of its own that asks for the lock of a path, says what it got, and keeps it until its input ends.

import { nodeFileSystem } from '../../../buffer/ports/node_file_system.ts';

const lock = await nodeFileSystem.lock(process.argv[2]!);
process.stdout.write(lock ? 'taken\n' : 'refused\n');
if (lock) for await (const _ of process.stdin);
