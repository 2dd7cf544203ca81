// The process: arguments in, exit code out.

import './young_generation.ts';
import { runCommandLine } from './command_line.ts';
import { processTerminal } from './terminal.ts';

/** After the command is done, how long output may take and handles may linger, ms. */
const LINGER_MS = 1_000;

const code = await runCommandLine(process.argv.slice(2), processTerminal());
process.exitCode = code;
setTimeout(() => process.exit(code), LINGER_MS).unref();
