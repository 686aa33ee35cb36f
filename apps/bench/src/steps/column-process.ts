// The process of one column, so that no column runs in code that another has shaped or in a heap that another has filled.
// Started by ColumnProcess with the column's name and a directory.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sample } from '../rounds.ts';
import { least } from '../statistics.ts';
import { aiSdkColumn } from './ai-sdk-column.ts';
import type { Column, ColumnName, ColumnReply, ColumnRequest } from './column.ts';
import { memoryColumn, sqliteColumn } from './dreamfold-column.ts';
import { Workload } from './workload.ts';

const [name, directory] = process.argv.slice(2) as [ColumnName, string];
const warm = new Set<string>();

function openColumn(workload: Workload, data: string): Column | Promise<Column> {
  switch (name) {
    case 'dreamfold-memory':
      return memoryColumn(workload);
    case 'dreamfold-sqlite':
      return sqliteColumn(workload, data);
    case 'ai-sdk':
      return aiSdkColumn(workload);
  }
}

/** µs a step: the least of the samples. */
async function measureStep(column: Column, workload: Workload, request: Extract<ColumnRequest, { kind: 'step' }>): Promise<number> {
  const { scenario, samples, sampleMs, warmMs } = request;
  const key = JSON.stringify([scenario, workload.size]);
  const { runs } = await sample(() => column.run(scenario), warm.has(key) ? 0 : warmMs);
  workload.settle(scenario, runs);
  warm.add(key);
  const figures: number[] = [];
  for (let i = 0; i < samples; i += 1) {
    const { us, runs } = await sample(() => column.run(scenario), sampleMs);
    workload.settle(scenario, runs);
    figures.push(us / workload.expected(scenario).model);
  }
  return least(figures);
}

async function repeat(column: Column, workload: Workload, runs: number): Promise<void> {
  for (let i = 0; i < runs; i += 1) await column.run('single');
  workload.settle('single', runs);
}

const COLLECTIONS = 12;

function liveHeapBytes(): number {
  if (globalThis.gc === undefined) throw new TypeError('the process of a column needs --expose-gc');
  // Code that has not run for a few collections is thrown away, which would hide what a run leaves behind.
  for (let i = 0; i < COLLECTIONS; i += 1) globalThis.gc();
  return process.memoryUsage().heapUsed;
}

/** KiB that a run leaves in memory. As many runs come before: caches fill, code is compiled. */
async function measureHeap(column: Column, workload: Workload, runs: number): Promise<number> {
  await repeat(column, workload, runs);
  const before = liveHeapBytes();
  await repeat(column, workload, runs);
  return (liveHeapBytes() - before) / 1024 / runs;
}

/** KiB of pages in use that a run adds to the database. */
async function measureDisk(column: Column, workload: Workload, { runs, data }: { runs: number; data: string }): Promise<number> {
  await repeat(column, workload, runs);
  const db = new DatabaseSync(join(data, 'log.db'), { readOnly: true });
  const read = (pragma: string): number => Object.values(db.prepare(`PRAGMA ${pragma}`).get()!)[0] as number;
  const usedBytes = (): number => (read('page_count') - read('freelist_count')) * read('page_size');
  const before = usedBytes();
  await repeat(column, workload, runs);
  const growth = usedBytes() - before;
  db.close();
  return growth / 1024 / runs;
}

async function answer(request: ColumnRequest): Promise<number> {
  const workload = new Workload(request.size);
  const data = mkdtempSync(join(directory, 'data-'));
  const column = await openColumn(workload, data);
  try {
    switch (request.kind) {
      case 'step':
        return await measureStep(column, workload, request);
      case 'heap':
        return await measureHeap(column, workload, request.runs);
      case 'disk':
        return await measureDisk(column, workload, { runs: request.runs, data });
    }
  } finally {
    await column.close();
    rmSync(data, { recursive: true, force: true });
  }
}

process.on('message', (request: ColumnRequest) => {
  const reply = (message: ColumnReply): void => void process.send!(message);
  answer(request).then(
    (value) => reply({ value }),
    (error: unknown) => reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
