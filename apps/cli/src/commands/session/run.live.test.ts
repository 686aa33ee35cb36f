import { afterAll, beforeAll, expect, test } from 'vitest';
import { Workspace } from '../../testing/dreamfold-process.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());
beforeAll(() => {
  workspace.file('desk.ts', `import { agent } from 'dreamfold';\nexport default agent({ name: 'desk', system: 'Help.' });`);
  workspace.file(
    'chosen.ts',
    `import { agent } from 'dreamfold';\nexport default agent({ name: 'desk', system: 'Help.', model: 'scripted' });`,
  );
  workspace.file(
    'long.ts',
    `import { rubric } from 'dreamfold';
export default rubric({ criteria: [{ id: 'long', ask: 'Six words at least.', check: ({ text }) => text.split(' ').length >= 6 }] });`,
  );
  for (const model of ['claude-opus-5', 'no-such-model']) {
    workspace.file(
      `${model}.ts`,
      `import { rubric } from 'dreamfold';\nexport default rubric({ criteria: [{ id: 'kind', ask: 'Kind.', model: '${model}' }] });`,
    );
  }
});

const STAND_IN = /^No model set for desk: the scripted stand-in answers/;
const SAY = '@script [{"say":"Hello."}]';

test('an agent without a model says that a stand-in answers, once; not beside one document, nor where the stand-in was chosen', async () => {
  expect(await workspace.run('run', 'desk.ts', SAY)).toMatchObject({ code: 0, stderr: expect.stringMatching(STAND_IN) });
  expect(await workspace.run('run', 'desk.ts', SAY, '--json')).toMatchObject({ code: 0, stderr: '' });
  expect(await workspace.run('run', 'chosen.ts', SAY)).toMatchObject({ code: 0, stderr: '' });
  expect(await workspace.run('run', 'desk.ts', SAY, '--model', 'scripted')).toMatchObject({ code: 0, stderr: '' });
});

test.each([
  ['claude-opus-5', 'config_invalid'],
  ['no-such-model', 'unknown_model'],
])('a rubric graded by %s is refused before the work begins', async (model, code) => {
  const run = workspace.start(['run', 'desk.ts', SAY, '--rubric', `${model}.ts`, '--data', 'never', '--json'], { ANTHROPIC_API_KEY: '' });
  const { stdout } = await run.ended;
  expect(JSON.parse(stdout).error).toMatchObject({ code, message: expect.stringContaining('The criterion kind: ') });
  expect((await workspace.run('sessions', '--data', 'never')).code).toBe(2);
});

test('a script revises what a rubric sends back', async () => {
  const script =
    '@script [{"say":"Too short."},{"then":[{"say":"Still too short."}]},{"then":[{"say":"This answer has enough words now."}]}]';
  const { code, document } = await workspace.json('run', 'desk.ts', script, '--rubric', 'long.ts');
  expect(code).toBe(0);
  expect(document).toMatchObject({ text: 'This answer has enough words now.', outcome: { result: 'satisfied' } });
  expect(document.outcome.attempts.map(({ text }: { text: string }) => text)).toEqual([
    'Too short.',
    'Still too short.',
    'This answer has enough words now.',
  ]);
});

test('a cap that ends the revisions is said to have ended them', async () => {
  const { stdout, code } = await workspace.run('run', 'desk.ts', SAY, '--rubric', 'long.ts', '--caps', 'turns=1');
  expect(code).toBe(1);
  expect(stdout).toContain('rubric failed: The cap turns = 1 was reached (at 1); 1 of 3 attempts were graded.');
});

test('an attached file goes with the task, and with a message', async () => {
  workspace.file('invoice.txt', 'Forty euros.');
  workspace.file('archive.zip', 'PK\0');
  const refused = workspace.start(['run', 'chosen.ts', SAY, '--attach', 'archive.zip', '--data', 'no-data', '--json']);
  expect(JSON.parse((await refused.ended).stdout)).toMatchObject({ error: { code: 'invalid_argument', path: '--attach' } });
  const run = await workspace.json('run', 'chosen.ts', SAY, '--attach', 'invoice.txt', '--title', 'An invoice');
  const { sessionId } = run.document as { sessionId: string };
  await workspace.run('send', sessionId, 'And this?', '--attach', 'invoice.txt');
  const { events } = (await workspace.json('show', sessionId)).document as { events: { type: string; data: object }[] };
  const source = { type: 'text', media_type: 'text/plain', data: 'Forty euros.' };
  expect(events.filter(({ type }) => type === 'user.message').map(({ data }) => data)).toMatchObject(
    [SAY, 'And this?'].map((text) => ({
      content: [
        { type: 'document', title: 'invoice.txt', source },
        { type: 'text', text },
      ],
    })),
  );
});
