// The worker's side: an agent in a thread of its own, which says what happens to it and answers when it is asked.
// Invariant: the thread ends by itself when it was told to stop, and at once where an error was caught by nobody.

import { parentPort, workerData } from 'node:worker_threads';
import { HoldfastError } from '../../config/error.ts';
import type { LogFields, Logger } from '../../config/logger.ts';
import { formatProblem } from '../../config/problem.ts';
import { type LocalAgent, startAgent } from '../agent.ts';
import type { Components } from '../schema/agent_config.ts';
import { readAgentConfig } from '../schema.ts';
import type { LogLevel } from '../telemetry/logger.ts';
import { describe, watchUncaught } from '../uncaught.ts';
import type { FromWorker, PlainError, Sample, ToWorker, WorkerStart, WorkerState } from './messages.ts';
import { shareOf } from './share.ts';

/** Runs this thread's agent with what `components` can make, until it is told to stop. */
export async function serveWorker(components: Components): Promise<void> {
  const port = parentPort!;
  const { source, version, place } = workerData as WorkerStart;
  const say = (message: FromWorker): void => port.postMessage(message);
  const { config, problems } = readAgentConfig(source, components);
  if (!config) throw new Error(`what the main thread has read is not valid: ${problems.map(formatProblem)}`);
  const logger = forwardingLogger(say, config.logs.level === 'debug');
  watchUncaught(process, logger, (origin, error) => {
    logger.error('internal error, the worker ends; what was acknowledged is on disk', { origin, error });
    process.exit(1);
  });
  const deadline = new AbortController();
  const starting = startAgent({ config: shareOf(config, place.count), version, logger, place });
  port.on('message', ({ kind }: ToWorker) => {
    if (kind === 'ask') void starting.then((agent) => say({ kind: 'state', state: stateOf(agent) }), ignore);
    else if (kind === 'cut') deadline.abort();
    else void stop(starting, deadline.signal).then((failure) => end(say, { kind: 'stopped', failure }));
  });
  try {
    const agent = await starting;
    say({ kind: 'ready', endpoints: [...agent.endpoints] });
  } catch (error) {
    end(say, { kind: 'failed', error: plainError(error) });
  }
}

/** The last word: whatever handle is left open does not keep the thread. */
function end(say: (message: FromWorker) => void, message: FromWorker): void {
  say(message);
  process.exit(0);
}

/** @returns what could not be done */
async function stop(starting: Promise<LocalAgent>, deadline: AbortSignal): Promise<string | undefined> {
  // A start that failed has let go of everything already.
  const agent = await starting.catch(() => undefined);
  try {
    await agent?.stop(deadline);
    return undefined;
  } catch (error) {
    return describe(error);
  }
}

function stateOf(agent: LocalAgent): WorkerState {
  const samples: Sample[] = [];
  agent.record((name, value, labels = {}) => samples.push({ name, value, labels }));
  return { condition: agent.condition(), totals: agent.totals(), samples };
}

function plainError(error: unknown): PlainError {
  if (error instanceof HoldfastError) {
    const { code, message, retryable } = error;
    return { code, message, retryable };
  }
  // What the house does not throw on purpose has to be found.
  return { code: 'HF_WORKER_START', message: describe(error), retryable: false };
}

/** Lines are written by the main thread, which knows where to and how often; those for debugging only where they are wanted. */
function forwardingLogger(say: (message: FromWorker) => void, debugs: boolean): Logger {
  const make = (bound: LogFields): Logger => {
    const at = (level: LogLevel) => (message: string, fields?: LogFields) =>
      say({ kind: 'log', level, message, fields: { ...bound, ...fields } });
    return {
      debug: debugs ? at('debug') : ignore,
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      with: (more) => make({ ...bound, ...more }),
    };
  };
  return make({});
}

function ignore(): void {}
