// Loads configurations from texts, without an environment unless one is given, and says what came of it.

import { z } from 'zod';
import { ConfigError, formatProblem } from '../../config/problem.ts';
import { type LoadedSource, type LoadOptions, loadConfig } from '../../config/source.ts';
import { unwrap, validateConfig } from '../../config/validate.ts';

const anything = z.record(z.string(), z.unknown());
export const named = (name: string, text: string) => ({ name, text });

export function load(options: LoadOptions): LoadedSource {
  return loadConfig({ env: {}, ...options });
}

export function plain(options: LoadOptions): unknown {
  return unwrap(validateConfig(load(options), anything));
}

export function problemsOf(options: LoadOptions): readonly string[] {
  try {
    unwrap(validateConfig(load(options), anything));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(formatProblem);
    throw error;
  }
  return [];
}
