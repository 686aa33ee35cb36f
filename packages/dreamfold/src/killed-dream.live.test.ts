import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { agent, open, type DreamfoldError } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'dreamfold-killed-dream-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Begins a dream, says so, and gets no further. */
const DREAMER = `
  import { writeSync } from 'node:fs';
  const { open } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)});
  const [directory, session] = process.argv.slice(1);
  const dreamfold = await open({ directory });
  const hang = () => { writeSync(1, 'claimed'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); };
  await dreamfold.dream({ store: 'desk', sessions: [session], onProgress: hang });`;

test('a dream whose process was killed is gone on with at once; one that lives says whose it is', async () => {
  const directory = join(root, 'data');
  const dreamfold = await open({ directory });
  await dreamfold.memory.create({ name: 'desk', description: '', approval: 'manual' }, 'person:ann');
  const session = await dreamfold.run(agent({ name: 'lead', system: '' }), 'Begin.');
  await session.done();
  const child = spawn(process.execPath, ['--input-type=module', '-e', DREAMER, directory, session.id], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  expect(String((await once(child.stdout, 'data'))[0])).toBe('claimed');

  const locked = await dreamfold.dream({ store: 'desk' }).catch((error: DreamfoldError) => error);
  expect(locked).toMatchObject({ code: 'store_locked' });
  expect((locked as DreamfoldError).message).toContain(`process ${child.pid} on ${hostname()}, until 20`);

  child.kill('SIGKILL');
  await once(child, 'exit');
  const { dreamId } = await dreamfold.dream({ store: 'desk' });
  const dreams = await dreamfold.dreams.list();
  expect(dreams.map(({ id, state }) => [id, state.status, state.started?.by?.pid, state.by?.pid])).toEqual([
    [dreamId, 'completed', child.pid, process.pid],
  ]);
  await dreamfold.close();
});
