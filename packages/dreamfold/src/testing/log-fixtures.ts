import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import { onTestFinished } from 'vitest';

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'dreamfold-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The logs that a session must behave the same on. */
export const LOGS: readonly { name: string; openLog: () => Promise<Log> }[] = [
  { name: 'memory', openLog: async () => openMemoryLog() },
  { name: 'sqlite', openLog: () => openSqliteLog({ directory: temporaryDirectory() }) },
];
