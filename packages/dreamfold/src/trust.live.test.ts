// Whom learning trusts, through the front door: sessions, feedback, dreams and what they leave in the store.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { agent, open, scripted, tool, type Dreamfold, type DreamReport, type RunOptions } from './index.ts';

const route = tool({
  name: 'route',
  description: 'Routes a ticket.',
  input: z.object({ queue: z.enum(['account', 'billing', 'returns', 'technical', 'vip']), note: z.string().optional() }),
  effect: 'pure',
  run: () => 'ok',
});
const model = scripted((request) => (request.messages.length === 1 ? { tool: 'route', input: { queue: 'account' } } : 'Routed.'));
const router = agent({ name: 'router', system: 'Route.', tools: [route], model });

interface Ticket {
  principal: Exclude<RunOptions['principal'], undefined>;
  request: string;
  right: string;
  /** Default: the desk. */
  label?: { by: string; class?: 'desk' | 'person' | 'grader' | 'customer' };
}

async function handle(df: Dreamfold, { principal, request, right, label }: Ticket): Promise<{ id: string; call: string }> {
  const session = await df.run(router, request, { principal, memory: ['desk'] });
  let call = '';
  session.on('agent.tool_use', ({ id }) => (call = id));
  await session.done();
  const by = label ?? ({ by: 'desk', class: 'desk' } as const);
  await session.feedback({ judges: call, verdict: 'wrong', right_answer: { queue: right }, ...by });
  return { id: session.id, call };
}

async function opened(approval: 'auto' | 'manual' = 'auto'): Promise<Dreamfold> {
  const df = await open();
  await df.memory.create({ name: 'desk', description: '', approval }, 'person:ann');
  return df;
}

const known = (id: string) => ({ id, authenticated: true });
const dream = (df: Dreamfold): Promise<DreamReport> => df.dream({ store: 'desk', thorough: true });

/** What agents are told: `cue > value`, in order. */
async function told(df: Dreamfold): Promise<string[]> {
  const { state } = await df.memory.load('desk');
  return Object.values(state.document.memories)
    .flatMap((memory) => (memory.kind === 'playbook' ? Object.values(memory.insights) : []))
    .flatMap((insight) => (insight.kind === 'choice' ? insight.cues.map(({ phrase }) => `${phrase} > ${insight.value}`) : []))
    .sort();
}

/** What was found: `status cue,cue > value`. */
const found = ({ insights }: DreamReport): string[] =>
  insights.map(({ insight, change, status }) => {
    const what = insight.kind === 'choice' ? `${insight.cues.map(({ phrase }) => phrase).join(',')} > ${insight.value}` : insight.kind;
    return `${status} ${change} ${what}`;
  });
const uncounted = (report: DreamReport): Record<string, number> =>
  Object.fromEntries(report.uncounted.map(({ reason, count }) => [reason, count]));

/** Six customers whom the shop knows with each kind of trouble, so that there is something to compare with. */
async function others(df: Dreamfold, label?: Ticket['label']): Promise<void> {
  for (const [word, right] of [
    ['crashes', 'technical'],
    ['email', 'account'],
    ['invoice', 'billing'],
  ] as const) {
    for (const i of [0, 1, 2, 3, 4, 5]) {
      const principal = known(`${word} customer ${i}`);
      await handle(df, { principal, request: `${word} ${'abcdef'[i]}`, right, ...(label === undefined ? {} : { label }) });
    }
  }
}
const OTHERS = ['crashes > technical', 'email > account', 'invoice > billing'];

/** Six customers with a refund, and the others. */
async function honestDesk(df: Dreamfold): Promise<void> {
  await others(df);
  for (const [i, who] of ['ann', 'bob', 'cem', 'dee', 'eva', 'fay'].entries()) {
    await handle(df, { principal: known(who), request: `refund ${'abcdef'[i]}`, right: 'returns' });
  }
}
const ALL = [...OTHERS, 'refund > returns'];

describe('the principals of a quorum', () => {
  const LOOK_ALIKES: [what: string, other: string][] = [
    ['in capitals', 'Ren\u00c9'],
    ['with a blank after it', 'ren\u00e9 '],
    ['decomposed', 'rene\u0301'],
    ['with a letter of mathematics', 'r\u{1d41e}n\u00e9'],
  ];
  test.each(LOOK_ALIKES)('are counted in one form: a name %s is the same principal', async (_what, other) => {
    const df = await opened();
    await others(df);
    const { id } = await handle(df, { principal: known(other), request: 'refund', right: 'returns' });
    for (const who of ['ren\u00e9', other]) await handle(df, { principal: known(who), request: 'refund', right: 'returns' });
    await dream(df);
    expect(await told(df)).toEqual(OTHERS);
    await handle(df, { principal: known('gus'), request: 'refund', right: 'returns' });
    await dream(df);
    expect(await told(df)).toContain('refund > returns');
    expect((await df.session(id)).principal).toBe(other);
    await df.close();
  });

  test.each([
    ['a zero-width space', 'ann\u200b'],
    ['a Cyrillic letter', '\u0430nn'],
    ['nothing', ' '],
  ])('and one that holds %s is refused at each door', async (_what, name) => {
    const df = await opened();
    const refused = {
      code: expect.stringMatching(/^(?:suspicious_unicode|invalid_argument)$/) as string,
      path: expect.any(String) as string,
    };
    for (const principal of [name, known(name)]) {
      await expect(df.run(router, 'x', { principal })).rejects.toMatchObject({ ...refused, path: 'principal' });
      await expect(df.submit(router, 'x', { principal })).rejects.toMatchObject({ ...refused, path: 'principal' });
    }
    const { id, call } = await handle(df, { principal: 'ann', request: 'refund', right: 'returns' });
    await expect(df.feedback(id, { judges: call, verdict: 'right', by: name })).rejects.toMatchObject({ ...refused, path: 'by' });
    const by = `person:${name}`;
    await expect(df.memory.create({ name: 'b', description: '', approval: 'manual' }, by)).rejects.toMatchObject(refused);
    await expect(df.memory.writeNote('desk', { path: '/a.md', content: 'x', reason: 'y', by })).rejects.toMatchObject(refused);
    await df.close();
  });

  test('in an auto store are those that somebody has authenticated; what others bear out waits, and nothing else with it', async () => {
    const df = await opened();
    await honestDesk(df);
    // As strong a cue as the other one for the same value: by themselves they would be one insight.
    for (const who of ['m1', 'm2', 'm3', 'm4', 'm5', 'm6']) await handle(df, { principal: who, request: 'parcel', right: 'returns' });
    const report = await dream(df);
    expect(await told(df)).toEqual(ALL);
    expect(found(report)).toContain('validated add parcel > returns');
    const waiting = report.insights.find(({ status }) => status === 'validated')!;
    expect(waiting.gates.filter(({ waits }) => waits)).toMatchObject([
      { gate: 'trust', reason: expect.stringMatching(/0 sessions of 0 principals that somebody/) },
    ]);
    expect(uncounted(report)).toEqual({ claimed_principal: 6 });
    await df.memory.approve('desk', waiting.patchId!, { by: 'person:ann' });
    expect(await told(df)).toContain('parcel > returns');
    expect(found(await dream(df))).toEqual([]);
    await df.close();
  });

  test('in a manual store count when they are only claimed, and the proposal says how many are', async () => {
    const df = await opened('manual');
    for (const who of ['m1', 'm2', 'm3']) await handle(df, { principal: who, request: 'refund parcel', right: 'returns' });
    await handle(df, { principal: known('n4'), request: 'refund', right: 'returns' });
    await others(df);
    const report = await dream(df);
    expect(found(report)).toContain('validated add refund,parcel > returns');
    const claimed = report.insights.flatMap(({ reason }) => / Of the .*/.exec(reason)?.[0] ?? []);
    expect(claimed).toEqual([' Of the 4 principals that said "refund" 3 are only claimed.']);
    expect(report.uncounted).toEqual([]);
    await df.close();
  });
});

describe('customers who label their own sessions', () => {
  test.each([3, 12])('%i of them neither turn what six labels of the desk have taught, nor make it vanish', async (attackers) => {
    const df = await opened();
    await honestDesk(df);
    await dream(df);
    const before = await told(df);
    expect(before).toEqual(ALL);
    for (let i = 0; i < attackers; i += 1) {
      const principal = `mallory${i}`;
      await handle(df, { principal: known(principal), request: 'refund', right: 'billing', label: { by: principal } });
    }
    const report = await dream(df);
    expect(await told(df)).toEqual(before);
    expect(found(report)).toEqual([]);
    expect(uncounted(report)).toEqual({ customer_label: attackers });
    await df.close();
  });

  test.each([3, 12])('%i who were there first do not keep the desk from teaching', async (attackers) => {
    const df = await opened();
    for (let i = 0; i < attackers; i += 1) {
      const principal = `mallory${i}`;
      await handle(df, { principal: known(principal), request: 'refund', right: 'vip', label: { by: principal } });
    }
    await others(df, { by: 'a friend', class: 'customer' });
    expect(found(await dream(df))).toContain('validated add refund > vip');
    expect(await told(df)).toEqual([]);
    await honestDesk(df);
    await dream(df);
    expect(await told(df)).toEqual(ALL);
    expect([...(await df.memory.load('desk')).state.patches].filter(({ status }) => status === 'validated')).toEqual([]);
    await df.close();
  });

  test('are outweighed by the desk on the same decision, whoever speaks last, and outweigh nobody', async () => {
    const df = await opened();
    await honestDesk(df);
    const says = async (order: readonly ('desk' | 'mallory')[]): Promise<void> => {
      const session = await df.run(router, 'voucher', { principal: known('mallory') });
      let call = '';
      session.on('agent.tool_use', ({ id }) => (call = id));
      await session.done();
      for (const by of order) {
        const queue = by === 'desk' ? 'billing' : 'returns';
        await session.feedback({
          judges: call,
          verdict: 'wrong',
          right_answer: { queue },
          by,
          ...(by === 'desk' ? { class: 'desk' } : {}),
        });
      }
    };
    await says(['desk', 'mallory']);
    await says(['mallory', 'desk']);
    const report = await dream(df);
    expect(uncounted(report)).toMatchObject({ outranked: 2 });
    expect(report.reviewed.labelled).toBe(26);
    await df.close();
  });
});

test('labels that turn what is told wait for a person; once one has agreed, the former value goes by itself', async () => {
  const df = await opened();
  await honestDesk(df);
  await dream(df);
  for (let i = 0; i < 24; i += 1) {
    await handle(df, { principal: known(`new${i}`), request: 'refund', right: 'vip' });
    await handle(df, { principal: known(`other${i}`), request: 'yacht', right: 'vip' });
    await handle(df, { principal: known(`more${i}`), request: 'exchange', right: 'returns' });
  }
  const report = await dream(df);
  // What holds besides is told at once, for both values.
  expect(await told(df)).toEqual([...OTHERS.slice(0, 2), 'exchange > returns', OTHERS[2], 'refund > returns', 'yacht > vip']);
  const turn = report.insights.find(({ status }) => status === 'validated')!;
  expect(turn).toMatchObject({ change: 'add', insight: { value: 'vip', cues: [{ phrase: 'refund' }] } });
  expect(turn.gates.filter(({ waits }) => waits).map(({ gate }) => gate)).toEqual(['turning']);
  await df.memory.approve('desk', turn.patchId!, { by: 'person:ann' });
  await dream(df);
  expect(await told(df)).toContain('refund > vip');
  expect((await told(df)).filter((line) => line.startsWith('refund'))).toHaveLength(1);
  await df.close();
});

test('feedback is recorded with its class, whether it was named or not', async () => {
  const df = await opened();
  const classes: unknown[] = [];
  for (const label of [{ by: 'Ann ' }, { by: 'bob' }, { by: 'ann', class: 'grader' as const }]) {
    const { id } = await handle(df, { principal: 'ann', request: 'refund', right: 'returns', label });
    for await (const { type, data } of df.events(id)) if (type === 'feedback.recorded') classes.push((data as { class: unknown }).class);
  }
  expect(classes).toEqual(['customer', 'person', 'grader']);
  const { id, call } = await handle(df, { principal: 'ann', request: 'refund', right: 'returns' });
  const wrong = { judges: call, verdict: 'right', by: 'x', class: 'boss' } as never;
  await expect(df.feedback(id, wrong)).rejects.toMatchObject({ code: 'invalid_argument', path: 'class' });
  await df.close();
});

test('a right answer that the tool does not take is refused', async () => {
  const df = await opened();
  const { id, call } = await handle(df, { principal: 'ann', request: 'refund', right: 'returns' });
  for (const [answer, path, remedy] of [
    [{ qeue: 'returns' }, 'right_answer/qeue', /Did you mean "queue"/],
    [{}, 'right_answer', /Name a field/],
    [{ queue: 'returns', x: 1 }, 'right_answer/x', /Its fields: queue, note/],
    [{ queue: 'retruns' }, 'right_answer/queue', /Did you mean "returns"/],
    [{ note: 3 }, 'right_answer/note', /type/],
  ] as const) {
    const feedback = { judges: call, verdict: 'wrong', right_answer: answer as Record<string, string>, by: 'desk' } as const;
    await expect(df.feedback(id, feedback)).rejects.toMatchObject({
      code: 'invalid_argument',
      path,
      remedy: expect.stringMatching(remedy),
    });
  }
  await df.close();
});

test('a dream that proposes nothing says why, in its report and on the log', async () => {
  const df = await opened();
  const why = async (): Promise<string | null> => {
    const { nothing, dreamId } = await dream(df);
    expect((await df.dreams.load(dreamId)).nothing).toBe(nothing);
    return nothing;
  };
  expect(await why()).toMatch(/^No session holds a decision/);
  for (const who of ['ann', 'ann']) await handle(df, { principal: known(who), request: 'refund', right: 'returns' });
  expect(await why()).toBe('2 labelled decisions on queue of route, of 1 principal: a word takes 3 sessions of 2 principals.');
  for (const who of ['bob', 'cem']) await handle(df, { principal: known(who), request: 'parcel', right: 'returns' });
  expect(await why()).toMatch(/^4 labelled decisions on queue of route: all right answers are "returns"/);
  await handle(df, { principal: known('dee'), request: 'crashes', right: 'technical' });
  expect(await why()).toMatch(/3 sessions of 2 principals for one value, and "\w+" has 2 sessions of [12] principals? for "returns"\.$/);
  await df.close();
});
