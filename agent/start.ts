// Starts the agent that the configuration asks for: in this thread, or in several workers.

import type { LoadedSource } from '../config/source.ts';
import { type Agent, type AgentOptions, startAgent } from './agent.ts';

export interface StartOptions extends Pick<AgentOptions, 'config' | 'logger' | 'version'> {
  /** What `config` was read from. */
  readonly source: LoadedSource;
}

/** Resolves when everything listens. @throws HoldfastError saying what cannot be opened or listened on; nothing is left open */
export async function start(options: StartOptions): Promise<Agent> {
  if (options.config.workers === 1) return startAgent(options);
  // Who has one event loop loads nothing of threads.
  const { startWorkers } = await import('./workers/supervisor.ts');
  return startWorkers(options);
}
