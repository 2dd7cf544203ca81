#!/usr/bin/env node
// The command `holdfast`: finds the right Node and runs the agent on it. Works on Node 20 and newer.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from './launch.js';

await launch(path.dirname(path.dirname(fileURLToPath(import.meta.url))), process.argv.slice(2));
