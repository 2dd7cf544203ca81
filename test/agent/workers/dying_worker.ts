// What a worker thread of the tests begins with.

import { serveWorker } from '../../../agent/workers/serve.ts';
import { dyingComponents } from './dying_components.ts';

await serveWorker(dyingComponents);
