// The public face for embedding the whole agent (`import { startAgent } from 'holdfast'`). The log alone is `holdfast/buffer`.

import type { Logger } from '../config/logger.ts';
import { silentLogger } from '../config/logger.ts';
import { ConfigError, type Problem } from '../config/problem.ts';
import { loadConfig, type NamedText } from '../config/source.ts';
import type { Agent } from './agent.ts';
import { components } from './components.ts';
import { readAgentConfig } from './schema.ts';
import { start } from './start.ts';
import { readVersion } from './version.ts';

export { HoldfastError } from '../config/error.ts';
export type { Logger } from '../config/logger.ts';
export { ConfigError, type Problem } from '../config/problem.ts';
export type { Agent } from './agent.ts';

export interface StartOptions {
  /** Paths, or `{ name, text }` with the YAML itself; several are merged, the last one wins. */
  readonly config: string | NamedText | readonly (string | NamedText)[];
  /** `a.b=c`, over all files. */
  readonly set?: readonly string[];
  /** For `${env:NAME}`. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: says nothing. */
  readonly logger?: Logger;
}

/**
 * Starts an agent in this process; it listens when the promise resolves. Signals are the caller's business: call `stop`.
 * @throws ConfigError with every problem of the configuration | HoldfastError for what cannot be opened or listened on
 */
export async function startAgent(options: StartOptions): Promise<Agent> {
  const { config: given, set: sets = [], env = process.env, logger = silentLogger } = options;
  const files: readonly (string | NamedText)[] = Array.isArray(given) ? given : [given as string | NamedText];
  const source = loadConfig({ files, sets, env });
  const { config, problems, notes } = readAgentConfig(source, components);
  if (!config) throw new ConfigError(errorsOf(problems));
  for (const problem of problems) logger.warn(problem.message, { key: problem.path, file: problem.file });
  for (const note of notes) logger.info(note);
  return start({ config, source, version: readVersion(), logger });
}

export const version: string = readVersion();

function errorsOf(problems: readonly Problem[]): Problem[] {
  return problems.filter((problem) => problem.severity === 'error');
}
