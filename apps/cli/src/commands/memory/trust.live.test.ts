// Whom learning trusts, as the command line asks and tells.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DESK, Workspace } from '../../testing/dreamfold-process.ts';

const workspace = new Workspace();

const TOOL = {
  name: 'route',
  input_schema: { type: 'object', properties: { queue: { type: 'string', enum: ['billing', 'returns', 'technical'] } } },
};

const DESK_SAYS = { by: 'desk', class: 'desk' };
/** A recorded session: a request that was routed to billing, and somebody's word on it. */
const row = ([principal, request, right]: readonly [string, string, string], said: object = DESK_SAYS): string =>
  JSON.stringify({
    principal,
    tools: [TOOL],
    messages: [
      { role: 'user', content: request },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'route', input: { queue: 'billing' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'ok' }] },
    ],
    feedback: [{ judges: 't1', verdict: 'wrong', right_answer: { queue: right }, ...said }],
  });
const rowsOf = (rounds: number): string[] =>
  Array.from('abcdefghijkl')
    .slice(0, rounds)
    .flatMap((letter, i) => [
      row([`ann${i}`, `refund number ${letter}`, 'returns']),
      row([`bob${i}`, `crashes number ${letter}`, 'technical']),
      row([`cem${i}`, `hello number ${letter}`, 'technical'], { by: `cem${i}` }),
    ]);
const rows = rowsOf(3);

beforeAll(() => {
  workspace.file('runs.jsonl', `${rows.join('\n')}\n`);
  workspace.file('many.jsonl', `${rowsOf(12).join('\n')}\n`);
  workspace.file('desk.ts', DESK);
});
afterAll(() => workspace.remove());

async function dreamt(file: string, ...flags: string[]): Promise<string> {
  const data = ['--data', `${file}${flags.length}`];
  await workspace.run('import', file, '--format', 'messages', ...flags, ...data);
  await workspace.run('memory', 'create', 'desk', '--approval', 'auto', ...data);
  return (await workspace.run('dream', '--store', 'desk', ...data)).stdout;
}

describe('a dream over recorded runs', () => {
  test('leaves to a person what nobody has authenticated, says so, and shows it in the review', async () => {
    const stdout = await dreamt('runs.jsonl');
    expect(stdout).toMatch(/^proposed queue = "returns" when the request says "refund"/m);
    expect(stdout).not.toMatch(/^applied/m);
    expect(stdout).toMatch(/^ {2}waits: "refund" is borne out by 0 sessions of 0 principals that somebody has authenticated; /m);
    expect(stdout).toMatch(/Of the 3 principals that said "refund" 3 are only claimed\./);
    expect(stdout).toMatch(
      /^Of the feedback 9 did not count like the rest:\n {2}6 of principals that nobody has authenticated: .*\n {2}3 labelled by customers/m,
    );
    expect((await workspace.run('review', 'list', '--data', 'runs.jsonl0')).stdout).toMatch(
      /^ {2}gate trust waits for a person: "refund" is borne out by 0 sessions/m,
    );
  });

  test('applies it when whoever recorded them had, and enough of them prove it', async () => {
    expect(await dreamt('runs.jsonl', '--trust-principals')).toMatch(/Not proved yet: .*8 to 0 would do/);
    const stdout = await dreamt('many.jsonl', '--trust-principals');
    expect(stdout).toMatch(/^applied queue = "returns" when the request says "refund"/m);
    expect(stdout).not.toContain('claimed');
    const { document } = await workspace.json('sessions', '--data', 'many.jsonl1');
    expect(document.sessions.map(({ authenticated }: { authenticated: boolean }) => authenticated)).toEqual(Array(36).fill(true));
  });

  test('says why it proposes nothing', async () => {
    workspace.file('one.jsonl', `${rows[0]!}\n`);
    const data = ['--data', 'few'];
    await workspace.run('import', 'one.jsonl', '--format', 'messages', ...data);
    await workspace.run('memory', 'create', 'desk', ...data);
    const why = '1 labelled decision on queue of route, of 1 principal: a word takes 3 sessions of 2 principals.';
    expect((await workspace.run('dream', ...data)).stdout).toContain(`It proposes nothing. ${why}\n`);
    const { document } = await workspace.json('dream', 'list', ...data);
    const shown = await workspace.run('dream', 'show', document.dreams[0].id as string, ...data);
    expect(shown.stdout).toContain(`It proposes nothing. ${why}\n`);
    expect((await workspace.json('dream', ...data)).document).toMatchObject({ uncounted: [], nothing: why, insights: [] });
  });
});

test('run and feedback record who is authenticated, and of which class whoever judges is', async () => {
  const task = '@script [{"tool":"find","input":{"order":"7"}},{"say":"It is there."}]';
  const ran = await workspace.json('run', 'desk.ts', task, '--principal', 'Ann', '--authenticated');
  const id = ran.document.sessionId as string;
  expect((await workspace.run('show', id)).stdout).toMatch(/principal +Ann \(authenticated\)/);
  const claimed = (await workspace.json('run', 'desk.ts', task, '--principal', 'Ann')).document.sessionId as string;
  expect((await workspace.run('show', claimed)).stdout).toMatch(/principal +Ann\n/);
  const { events } = (await workspace.json('show', id)).document as { events: { id: string; type: string }[] };
  const call = events.find(({ type }) => type === 'agent.tool_use')!.id;
  const right = ['feedback', id, call, '--verdict', 'right'];
  expect((await workspace.run(...right, '--by', 'ann ')).stdout).toContain('ann (customer) says right');
  expect((await workspace.json(...right, '--by', 'bob')).document.feedback).toMatchObject({ by: 'bob', class: 'person' });
  expect((await workspace.json(...right, '--by', 'orders', '--class', 'desk')).document.feedback).toMatchObject({ class: 'desk' });
  expect((await workspace.run('show', id)).stdout).toMatch(/feedback of orders \(desk\) on/);
});
