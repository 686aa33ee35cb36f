// What the commands say of a message that comes after an outcome has ended.
import { afterAll, describe, expect, test } from 'vitest';
import { Workspace } from '../../testing/dreamfold-process.ts';

const workspace = new Workspace();
afterAll(() => workspace.remove());

const CHAT = `
import { agent, rubric, scripted } from 'dreamfold';
const model = scripted((request) => 'Dear, answer ' + request.messages.length);
export const polite = rubric({ criteria: [{ id: 'greets', ask: 'It greets.', check: ({ text }) => text.startsWith('Dear') }] });
export { polite as rubric };
export default agent({ name: 'desk', system: '', model });
`;

describe('a second question', () => {
  test('is answered, and every command says that no rubric applies to it', async () => {
    workspace.file('chat.ts', CHAT);
    const first = await workspace.run('run', 'chat.ts', 'First question');
    expect(first.code).toBe(0);
    expect(first.stdout).toContain('\nRubric: satisfied, score 1.00\n');
    const id = /^Session: (sesn_\w+)$/m.exec(first.stdout)![1]!;
    expect((await workspace.json('sessions')).document.sessions).toMatchObject([{ outcome: 'satisfied', outcomeIsEarlier: false }]);

    const sent = await workspace.run('send', id, 'Second question');
    expect(sent.stdout).toContain('The outcome of the session has ended: no rubric applies to the answer.');
    const resumed = await workspace.run('resume', id, 'chat.ts');
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toContain('\n\nDear, answer 3\n');
    expect(resumed.stdout).not.toContain('\nDear, answer 1\n');
    expect(resumed.stdout).toContain('\nRubric: none for this turn; an earlier one: satisfied, score 1.00\n');

    expect((await workspace.json('resume', id, 'chat.ts')).document).toMatchObject({
      text: 'Dear, answer 3',
      status: 'done',
      outcome: null,
      earlierOutcome: { result: 'satisfied', score: 1 },
    });
    expect((await workspace.json('show', id)).document.session).toMatchObject({ outcome: 'satisfied', outcomeIsEarlier: true });
    expect((await workspace.run('show', id)).stdout).toMatch(/outcome +satisfied, score 1\.00, of an earlier turn; no rubric applies/);
    expect((await workspace.run('sessions')).stdout).toMatch(/ end_turn +\(1\.00\) /);
    expect((await workspace.json('send', id, 'Third question')).document).toEqual({ session: id, sent: 'Third question', rubric: false });
  });
});

test('a session that has ended is not gone on with, and resume says so', async () => {
  workspace.file('chat.ts', CHAT);
  const { stdout } = await workspace.run('run', 'chat.ts', 'A question');
  const id = /^Session: (sesn_\w+)$/m.exec(stdout)![1]!;
  const resumed = await workspace.run('resume', id, 'chat.ts');
  expect(resumed).toMatchObject({ code: 0, stderr: expect.stringContaining(`${id} has ended`) as string });
  expect(resumed.stdout).toContain('; 1 model call, 0 tool calls; ');
  await workspace.run('send', id, 'More');
  expect((await workspace.run('resume', id, 'chat.ts')).stderr).not.toContain('has ended');
  const wrong = await workspace.run('sessions', '--status', 'satisfied');
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('use --outcome satisfied') as string });
});
