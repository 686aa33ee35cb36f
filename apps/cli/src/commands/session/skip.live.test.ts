// An event that nobody knows stands in a session, and holds it up.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { hashInput, streamOf, type StoredEvent } from '@dreamfold/events';
import { open } from 'dreamfold';
import { afterAll, expect, test } from 'vitest';
import { DESK, Workspace } from '../../testing/dreamfold-process.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Adds an event to a session as a newer Dreamfold would, or somebody who forges one. */
async function addUnknown(session: string, id: string): Promise<void> {
  const dreamfold = await open({ directory: join(workspace.path, '.dreamfold') });
  const stream = streamOf('session', session);
  const { seq, hash: prev } = await dreamfold.log.head(stream);
  const about = {
    stream,
    seq: seq + 1,
    id,
    time: Date.now(),
    prev,
    hash: '',
    type: 'session.teleported',
    v: 1,
    class: 'open',
    epoch: 0,
  } as const;
  const rest = {
    append: { id, i: 0, n: 1 },
    writer: 'w_x',
    causation: null,
    correlation: null,
    actor: 'user',
    dataHash: sha256('{}'),
    data: '{}',
  };
  const event: StoredEvent = { ...about, ...rest };
  await dreamfold.log.archive.restore([{ ...event, hash: sha256(hashInput(event)) }]);
  await dreamfold.close();
}

test('a session that a forged event suspends goes on when a person has passed over it, and a worker takes it', async () => {
  workspace.file('desk.ts', DESK);
  const { document } = await workspace.json('run', 'desk.ts', '@script [{"say":"Hello."}]', '--detach');
  const id = document.sessionId as string;
  await addUnknown(id, 'forged-1');
  await addUnknown(id, 'forged-2');
  const { seq } = (await workspace.json('show', id)).document.events.findLast((event: { id: string }) => event.id === 'forged-1');
  const refused = await workspace.json('send', id, 'And now?');
  expect([refused.code, refused.document.error.code]).toEqual([2, 'unsupported_schema_version']);
  expect(refused.document.error.remedy).toContain(`skip ${id} ${seq} --reason TEXT`);
  const worker = workspace.start(['worker', 'desk.ts']);
  await worker.noted(/left alone: unsupported_schema_version/);

  expect(await workspace.run('skip', id, '1', '--reason', 'Forged.')).toMatchObject({ code: 2 });
  expect(await workspace.run('skip', id, String(seq))).toMatchObject({ code: 2 });
  const first = await workspace.run('skip', id, String(seq), '--reason', 'Forged.', '--by', 'ann');
  expect(first).toMatchObject({ code: 0, stdout: `${id} passes over event ${seq}, session.teleported version 1.\n` });
  expect(worker.stderr).not.toContain(`${id} taken`);
  expect(await workspace.json('skip', id, 'forged-2', '--reason', 'Forged.')).toEqual({
    code: 0,
    document: { session: id, skipped: 'forged-2' },
  });
  await worker.noted(new RegExp(`${id} end_turn`));
  worker.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
  expect((await workspace.run('show', id)).stdout).toContain('ann passes over forged-1: Forged.');
  expect((await workspace.run('verify')).code).toBe(0);
});
