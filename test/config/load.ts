// Loads configurations from texts, without an environment unless one is given, and says what came of it.

import * as z from 'zod';
import { ConfigError, formatProblem } from '../../config/problem.ts';
import { type LoadedSource, type LoadOptions, loadConfig } from '../../config/source.ts';
import { type Result, validateAt } from '../../config/validate.ts';

const anything = z.record(z.string(), z.unknown());
export const named = (name: string, text: string) => ({ name, text });

/** The value of a result. @throws ConfigError where there is none. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new ConfigError(result.problems);
}

export function load(options: LoadOptions): LoadedSource {
  return loadConfig({ env: {}, ...options });
}

export function plain(options: LoadOptions): unknown {
  return unwrap(validateAt(load(options), [], anything));
}

export function problemsOf(options: LoadOptions): readonly string[] {
  try {
    unwrap(validateAt(load(options), [], anything));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(formatProblem);
    throw error;
  }
  return [];
}
