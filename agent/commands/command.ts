// The contract between the command line and a verb: what it takes, how it is explained, how it is run.

import type { Terminal } from '../terminal.ts';

/** What a verb's `run` resolves to; scripts rely on the numbers. */
export const exitCode = { ok: 0, failure: 1, usage: 2 } as const;

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  /** What stands for the value in the help, such as `FILE`. */
  readonly value?: string;
  readonly description: string;
}

export interface Invocation {
  /** Every value given for the option, in order. */
  values(option: string): readonly string[];
  /** What was given without an option's name; empty where the verb takes nothing. */
  readonly argument: string;
  /** Whether the flag was given. */
  flag(option: string): boolean;
}

export interface Command {
  readonly description: string;
  /** What must be given without an option's name, such as a directory. */
  readonly argument?: { readonly value: string; readonly description: string };
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly examples: readonly { readonly line: string; readonly says: string }[];
  run(invocation: Invocation, terminal: Terminal): Promise<number>;
}

export interface CommandEntry {
  readonly summary: string;
  /** Loaded only when it is run or explained: start-up time is for `run`. */
  readonly load: () => Promise<Command>;
}
export type CommandTable = Readonly<Record<string, CommandEntry>>;

/** The user typed something that no verb takes; printed with a hint at the help, exit code 2. */
export class UsageError extends Error {}

export const configOptions = {
  config: {
    type: 'string',
    multiple: true,
    value: 'FILE',
    description: 'Configuration file in the shape of the Collector; several are merged, the last one wins.',
  },
  set: {
    type: 'string',
    multiple: true,
    value: 'KEY=VALUE',
    description: 'Sets one key over all files, such as buffer.max_size=2GiB; may be repeated.',
  },
} as const satisfies Record<string, OptionSpec>;

export const jsonOption = {
  json: { type: 'boolean', description: 'Prints JSON, for programs.' },
} as const satisfies Record<string, OptionSpec>;
