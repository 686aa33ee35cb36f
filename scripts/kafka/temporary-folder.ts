import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';

// The pipe's end without a line says that the process which made the folder is gone, by kill -9 too. What writes to the folder dies of
// the same, and is given the time.
const REMOVE_WITHOUT_LINE = 'read -r _ || { sleep 2; rm -rf "$0"; }';

export interface TemporaryFolder {
  path: string;
  remove(): Promise<void>;
}

/** Makes a folder which is removed, at the latest, when this process has died. */
export function temporaryFolder(prefix: string): TemporaryFolder {
  const path = mkdtempSync(prefix);
  const watch = spawn('sh', ['-c', REMOVE_WITHOUT_LINE, path], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = once(watch, 'exit');
  return {
    path,
    remove: async () => {
      rmSync(path, { recursive: true, force: true });
      if (watch.stdin.writable) watch.stdin.end('\n');
      await ended;
    },
  };
}
