// Notices how much memory is asked for at once. Invariant: nothing changes for who asks.

type Allocate = 'alloc' | 'allocUnsafe' | 'allocUnsafeSlow';
const ways: readonly Allocate[] = ['alloc', 'allocUnsafe', 'allocUnsafeSlow'];

/** The largest buffer that was asked for since it was reset. */
export const largest = { bytes: 0 };

/** From here on, for the whole process or worker. */
export function watchAllocations(): void {
  for (const way of ways) {
    const allocate = Buffer[way].bind(Buffer) as (...args: unknown[]) => Buffer;
    Buffer[way] = ((bytes: number, ...rest: unknown[]) => {
      if (bytes > largest.bytes) largest.bytes = bytes;
      return allocate(bytes, ...rest);
    }) as never;
  }
}
