// What an error says to people, in one line.

import { HoldfastError } from '../config/error.ts';

export function reasonOf(error: unknown): string {
  if (error instanceof HoldfastError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
