import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Workspace } from '../testing/dreamfold-process.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());

const SECRET = 'card 4111 1111 1111 1111';
const rows = [
  {
    principal: 'Acme',
    messages: [
      { role: 'user', content: `My ${SECRET}` },
      { role: 'assistant', content: `Noted: ${SECRET}` },
    ],
  },
  {
    principal: 'other',
    messages: [
      { role: 'user', content: 'Where is my order?' },
      { role: 'assistant', content: 'On its way.' },
    ],
  },
];

/** Files of the data directory that hold a text. */
function holding(text: string): string[] {
  const directory = join(workspace.path, '.dreamfold');
  const files = readdirSync(directory, { withFileTypes: true }).filter((one) => one.isFile());
  return files.map(({ name }) => name).filter((name) => readFileSync(join(directory, name)).includes(text));
}

test('what a principal said is gone from log, lists and exports; the rest stays, and all of it verifies', async () => {
  workspace.file('runs.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
  await workspace.json('import', 'runs.jsonl', '--format', 'messages', '--agent', 'desk');
  const { document: before } = await workspace.json('sessions');
  const [acme, other] = before.sessions as [{ id: string }, { id: string }];
  expect(holding('4111')).not.toEqual([]);

  expect(await workspace.json('erase', '--principal', 'acme')).toMatchObject({
    code: 2,
    document: { error: { code: 'invalid_argument' } },
  });
  expect(await workspace.json('erase', '--yes')).toMatchObject({ code: 2, document: { error: { path: 'session' } } });
  expect(await workspace.json('erase', '--principal', 'nobody', '--yes')).toMatchObject({
    code: 2,
    document: { error: { code: 'not_found' } },
  });
  mkdirSync(join(workspace.path, '.dreamfold/kafka/p/1/former-12345678'), { recursive: true });
  const { code, document } = await workspace.json('erase', '--principal', 'acme', '--reason', 'asked for by mail', '--by', 'ann', '--yes');
  expect(code).toBe(0);
  expect(document.erased).toMatchObject([{ stream: `session/${acme.id}` }]);
  expect(document.unreached).toMatchObject({ blobs: [], formerReplicas: [expect.stringContaining('former-12345678')], learnt: [] });

  const { document: after } = await workspace.json('sessions');
  expect(after.sessions).toMatchObject([
    { id: acme.id, title: '', principal: '' },
    { id: other.id, principal: 'other' },
  ]);
  expect(holding('4111')).toEqual([]);
  expect(await workspace.json('verify')).toMatchObject({ code: 0, document: { ok: true, erased: document.erased[0].events.length } });
  expect((await workspace.run('show', acme.id)).stdout).toContain('erased by ann: asked for by mail');
  const exported = await workspace.run('export');
  expect(exported.code).toBe(0);
  expect(exported.stdout).not.toContain('4111');
  expect(exported.stdout).toContain('asked for by mail');

  const again = await workspace.json('erase', acme.id, '--yes');
  expect(again).toMatchObject({ code: 0, document: { erased: [] } });
});

test('one event is erased by its id, and the session stays in the lists', async () => {
  const { document } = await workspace.json('sessions');
  const [, { id }] = document.sessions;
  const events = (await workspace.run('export', id)).stdout.split('\n').filter((line) => line.includes('"type":"agent.message"'));
  const event = (JSON.parse(events[0]!) as { id: string }).id;
  const { stdout } = await workspace.run('erase', '--event', event, '--yes');
  expect(stdout).toContain('Erased 1 payload of 1 session.');
  expect(stdout).toContain('This does not reach:');
  expect(holding('On its way')).toEqual([]);
  expect((await workspace.json('sessions')).document.sessions).toHaveLength(2);
  const { stdout: told } = await workspace.run('show', id);
  expect(told).not.toContain('On its way');
});
