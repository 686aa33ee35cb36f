import { cpus, loadavg } from 'node:os';

/** What figures depend on, for whoever compares two documents. `load` is the machine's before the bench. */
export interface Machine {
  node: string;
  cpu: string;
  cores: number;
  load: number;
  date: string;
}

export function machine(): Machine {
  const cores = cpus();
  return {
    node: process.version,
    cpu: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    load: loadavg()[0]!,
    date: new Date().toISOString(),
  };
}
