// What a worker thread begins with: the components of this build.

import { components } from '../components.ts';
import { serveWorker } from './serve.ts';

await serveWorker(components);
