import { afterAll, describe, expect, test } from 'vitest';
import { DESK, PROGRAM, REFUND, Workspace } from '../testing/dreamfold-process.ts';

const workspace = new Workspace();
workspace.file('desk.ts', DESK);
workspace.file(
  'judged.ts',
  `import { agent, rubric } from 'dreamfold';
export default {
  lead: agent({ name: 'writer', system: 'Write.' }),
  rubric: rubric({ criteria: [{ id: 'tone', ask: 'Is it kind?', person: true }], passScore: 0.5 }),
};`,
);
afterAll(() => workspace.remove());

const SLOW = '@script [{"tool":"wait","input":{}},{"say":"Done."}]';
const ASKS = / approve (sesn_\w+) (sevt_[\w-]+)/;

describe('a call that waits for a person', () => {
  test('ends the run with 5 and the command to type; the approval counts once, and resume goes on', async () => {
    const { code, document } = await workspace.json('run', 'desk.ts', REFUND);
    expect(code).toBe(5);
    const [waiting] = document.waiting;
    expect(document).toMatchObject({ status: 'waiting', stopReason: { type: 'requires_action', event_ids: [waiting.call] } });
    expect(waiting).toMatchObject({
      agent: 'desk',
      tool: 'refund',
      input: { order: '7' },
      approve: `${PROGRAM} approve ${document.sessionId} ${waiting.call}`,
    });
    expect((await workspace.run('show', document.sessionId)).stdout).toContain(waiting.approve);

    const args = waiting.approve.split(' ').slice(2);
    expect(await workspace.json(...args, '--by', 'ann')).toMatchObject({ code: 0, document: { result: 'allow', call: waiting.call } });
    expect(await workspace.json(...args)).toMatchObject({ code: 2, document: { error: { code: 'approval_already_used' } } });
    const resumed = await workspace.json('resume', document.sessionId, 'desk.ts');
    expect(resumed).toMatchObject({ code: 0, document: { text: 'Paid back.', usage: { modelCalls: 2 } } });
    const { stdout } = await workspace.run('show', document.sessionId);
    expect(stdout).toContain('person:ann approves');
    expect(stdout).toContain('refund ← paid 7');
  });

  test('that is denied is told to the model; the call may be named by its number', async () => {
    const { document } = await workspace.json('run', 'desk.ts', REFUND);
    const shown = await workspace.run('show', document.sessionId);
    const number = /^ *(\d+) .*→ refund/m.exec(shown.stdout)![1]!;
    const other = await workspace.json('deny', document.sessionId, '1');
    expect(other).toMatchObject({ code: 2, document: { error: { code: 'approval_not_found' } } });
    const denied = await workspace.run('deny', document.sessionId, `#${number}`, '--message', 'Over the limit.', '--data', './.dreamfold/');
    expect(denied.stdout).toContain(`${PROGRAM} resume ${document.sessionId} FILE --data "./.dreamfold/"`);
    const { stdout, code } = await workspace.run('resume', document.sessionId, 'desk.ts');
    expect(code).toBe(0);
    expect(stdout).toContain('refund ← failed (denied) Over the limit.');
  });

  test('goes on at once with --wait, while tail follows; a second processor is refused by pid', async () => {
    const data = ['--data', 'waited'];
    const run = workspace.start(['run', 'desk.ts', REFUND, '--wait', ...data]);
    const [, id, call] = await run.said(ASKS);
    const tail = workspace.start(['tail', id!, ...data]);
    await tail.said(/waits for approval/);

    const second = await workspace.json('run', 'desk.ts', 'Hello', ...data);
    expect(second).toMatchObject({ code: 4, document: { error: { code: 'store_locked' } } });
    expect(second.document.error.message).toContain(String(run.pid));
    expect(await workspace.json('sessions', ...data)).toMatchObject({ code: 0, document: { total: 1 } });

    await workspace.run('approve', id!, call!, ...data);
    const ended = await run.ended;
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('Paid back.');
    const followed = await tail.ended;
    expect(followed.code).toBe(0);
    expect(followed.stdout).toContain('refund ← paid 7');
    expect(followed.stdout.trimEnd().split('\n').at(-1)).toBe('desk: Paid back.');
  });

  test('a score that a person gives ends the outcome', async () => {
    const { code, document } = await workspace.json('run', 'judged.ts', 'Write a line.');
    expect(code).toBe(5);
    expect(document.waiting).toEqual([expect.objectContaining({ criterion: 'tone', ask: 'Is it kind?' })]);
    expect(await workspace.json('grade', document.sessionId, 'tone', '0.8', '--reason', 'Kind.', '--by', 'ann')).toMatchObject({ code: 0 });
    const resumed = await workspace.json('resume', document.sessionId, 'judged.ts');
    expect(resumed).toMatchObject({ code: 0, document: { outcome: { result: 'satisfied', score: 0.8 } } });
  });
});

describe('a session that is stopped', () => {
  test('by Ctrl-C closes its calls, and ends with 130', async () => {
    const run = workspace.start(['run', 'desk.ts', SLOW, '--data', 'stopped']);
    await run.said(/→ wait/);
    run.kill('SIGINT');
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    expect(stdout).toContain('wait ← failed (interrupted)');
    const { document } = await workspace.json('sessions', '--data', 'stopped');
    expect(document.sessions[0]).toMatchObject({ status: 'interrupted' });
  });

  test('by interrupt from another terminal, ends with 130 as well', async () => {
    const run = workspace.start(['run', 'desk.ts', SLOW, '--data', 'interrupted']);
    await run.said(/→ wait/);
    const { document } = await workspace.json('sessions', '--data', 'interrupted');
    const { id } = document.sessions[0];
    expect(await workspace.json('interrupt', id, '--data', 'interrupted')).toMatchObject({ document: { interrupted: true } });
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    expect(stdout).toContain('wait ← failed (interrupted)');
    expect(await workspace.json('interrupt', id, '--data', 'interrupted')).toMatchObject({ code: 0, document: { interrupted: false } });
  });

  test('by kill -9 goes on with resume, without asking the model again', async () => {
    const run = workspace.start(['run', 'desk.ts', SLOW.replace('Done.', 'After all.'), '--data', 'killed']);
    await run.said(/→ wait/);
    run.kill('SIGKILL');
    await run.ended;
    const { document } = await workspace.json('sessions', '--data', 'killed');
    const { id } = document.sessions[0];
    workspace.file('go', '');
    const resumed = await workspace.json('resume', id, 'desk.ts', '--data', 'killed');
    expect(resumed).toMatchObject({ code: 0, document: { text: 'After all.', usage: { modelCalls: 2, toolCalls: 1 } } });
    const replay = await workspace.json('replay', id, '--verify', '--data', 'killed');
    expect(replay).toMatchObject({ code: 0, document: { epoch: 2, requests: { requests: 2, differing: [] } } });
  });
});

test('a message that is sent to a session is taken up, and feedback is kept', async () => {
  const { document } = await workspace.json('run', 'desk.ts', '@script [{"tool":"find","input":{"order":"7"}},{"say":"Shipped."}]');
  const id = document.sessionId;
  await workspace.run('send', id, '@script [{"say":"Anything else?"}]');
  expect(await workspace.json('resume', id, 'desk.ts')).toMatchObject({ code: 0, document: { text: 'Anything else?' } });
  const { document: shown } = await workspace.json('show', id);
  const call = shown.events.find((event: { type: string }) => event.type === 'agent.tool_use');
  const wrong = ['--verdict', 'wrong', '--right-answer', '{"order":"8"}'];
  const said = await workspace.json('feedback', id, String(call.seq), ...wrong, '--by', 'shop');
  expect(said).toMatchObject({ code: 0, document: { feedback: { judges: call.id }, contradicts: [] } });
  expect((await workspace.run('show', id)).stdout).toContain(`feedback of shop (person) on ${call.id}: wrong, right is {"order":"8"}`);

  expect((await workspace.json('feedback', id, call.id, ...wrong, '--by', 'desk')).document.contradicts).toEqual([]);
  const { stdout } = await workspace.run('feedback', id, call.id, '--verdict', 'right', '--by', 'customer');
  expect(stdout.split('\n').slice(0, 2)).toEqual([
    `Recorded on ${id}, event ${call.seq}, the call find {"order":"7"}:`,
    '  customer (person) says right',
  ]);
  expect(stdout).toContain('It contradicts what shop said: wrong, right is {"order":"8"}. Both stay.');
  const third = await workspace.json('feedback', id, call.id, '--verdict', 'wrong', '--right-answer', '{"order":"9"}', '--by', 'shop');
  expect(third.document.contradicts.map(({ by }: { by: string }) => by)).toEqual(['shop', 'desk', 'customer']);
});

test('a right answer that the tool does not take is refused, with the values that it takes', async () => {
  workspace.file(
    'router.ts',
    `import { agent, tool } from 'dreamfold';
import { z } from 'zod';
const input = z.object({ queue: z.enum(['billing', 'returns']), note: z.string().optional() });
export default agent({ name: 'router', system: 'Route.', tools: [tool({ name: 'route', description: 'Routes.', input, effect: 'pure', run: () => 'ok' })] });`,
  );
  const { document } = await workspace.json('run', 'router.ts', '@script [{"tool":"route","input":{"queue":"billing"}},{"say":"Done."}]');
  const { document: shown } = await workspace.json('show', document.sessionId);
  const call = shown.events.find((event: { type: string }) => event.type === 'agent.tool_use').seq;
  const feedback = (answer: string) =>
    workspace.json('feedback', document.sessionId, String(call), '--verdict', 'wrong', '--by', 'desk', '--right-answer', answer);
  const refused = await feedback('{"queue":"nonsense"}');
  expect(refused).toMatchObject({
    code: 2,
    document: { error: { code: 'invalid_argument', path: 'right_answer/queue', value: 'nonsense' } },
  });
  expect(refused.document.error.remedy).toContain('"billing", "returns"');
  expect(await feedback('{"queue":"returns","note":"any text"}')).toMatchObject({ code: 0 });
});
