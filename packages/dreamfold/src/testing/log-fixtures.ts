import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import { afterAll } from 'vitest';

const made: string[] = [];
afterAll(() => made.forEach((directory) => rmSync(directory, { recursive: true, force: true })));

/** A directory that is gone after the file's tests. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'dreamfold-'));
  made.push(directory);
  return directory;
}

/** The logs that a session must behave the same on. */
export const LOGS: readonly { name: string; openLog: () => Promise<Log> }[] = [
  { name: 'memory', openLog: async () => openMemoryLog() },
  { name: 'sqlite', openLog: () => openSqliteLog({ directory: temporaryDirectory() }) },
];
