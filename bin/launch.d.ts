// The types of launch.js, for the tests; the launcher itself is plain JavaScript on purpose.

export type Version = readonly number[];

export type Runtime =
  | { readonly how: 'here' }
  | { readonly how: 'other'; readonly node: string }
  | { readonly how: 'none' };

export interface RuntimeFacts {
  readonly version: string;
  readonly bundled: string | undefined;
  readonly execPath: string;
  /** Whether a process can become another one (process.execve). */
  readonly canReplace: boolean;
}

export const oldestVersion: Version;
export function bundleFor(
  platform: string,
  arch: string,
): { readonly name: string; readonly loader: string | undefined } | undefined;
export function parseVersion(text: string): Version;
export function isAtLeast(version: Version, least: Version): boolean;
export function bundledNode(
  root: string,
  platform: string,
  arch: string,
  exists?: (path: string) => boolean,
): string | undefined;
export function findEntry(root: string, exists?: (path: string) => boolean): string | undefined;
export function chooseRuntime(facts: RuntimeFacts): Runtime;
export function agentEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined>;
export function noRuntimeMessage(version: string, platform: string, arch: string): string;
export function noEntryMessage(root: string): string;
export function isRun(args: readonly string[]): boolean;
export function launch(root: string, args: readonly string[]): Promise<void>;
