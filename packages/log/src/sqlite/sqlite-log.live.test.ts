import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { describeLog } from '../conformance/index.ts';
import { openSqliteLog } from './open-sqlite-log.ts';

const root = mkdtempSync(join(tmpdir(), 'dreamfold-log-'));
afterAll(() => rmSync(root, { recursive: true }));

describeLog('sqlite', (place) => openSqliteLog({ directory: join(root, place) }));
