// The process: arguments in, exit code out.

import { runCommandLine } from './command_line.ts';
import { processTerminal } from './terminal.ts';

process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal());
