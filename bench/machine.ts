// One line that says on what was measured.

import os from 'node:os';

export function machine(): string {
  const [cpu] = os.cpus();
  const memory_GiB = Math.round(os.totalmem() / 2 ** 30);
  return `${os.cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${memory_GiB} GiB, ${os.type()} ${os.release()}, Node ${process.version}`;
}
