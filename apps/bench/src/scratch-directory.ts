import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives work a directory of its own, which is gone afterwards, however the process ends. */
export async function inScratchDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'dreamfold-bench-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const leave = (): void => process.exit(130);
  process.once('exit', remove);
  process.once('SIGINT', leave);
  process.once('SIGTERM', leave);
  try {
    return await work(directory);
  } finally {
    process.off('exit', remove);
    process.off('SIGINT', leave);
    process.off('SIGTERM', leave);
    remove();
  }
}
