// Figures with their spread: machines are noisy, so a single value says nothing.

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** @param values at least one */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const [below, above] = [sorted[(sorted.length - 1) >> 1]!, sorted[sorted.length >> 1]!];
  return { min: sorted[0]!, median: (below + above) / 2, max: sorted[sorted.length - 1]! };
}

/** `1.72 (1.65–1.90)`: median, then minimum and maximum. */
export function show(values: readonly number[], digits: number): string {
  const { min, median, max } = spread(values);
  const text = (value: number): string =>
    value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });
  return `${text(median)} (${text(min)}–${text(max)})`;
}
