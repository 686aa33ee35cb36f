import { hash } from 'node:crypto';
import { knownEvent } from '@dreamfold/events';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { agent, open, operator, tool, type AgentDefinition, type Dreamfold } from './index.ts';
import { collect } from './testing/history.ts';
import { temporaryDirectory } from './testing/log-fixtures.ts';

/** What the tool was run with, in all sessions of a test. */
const ran: { input: unknown; key: string }[] = [];
const opened: Dreamfold[] = [];
afterEach(async () => {
  ran.length = 0;
  for (const dreamfold of opened.splice(0)) await dreamfold.close();
});

async function openAt(directory: string): Promise<Dreamfold> {
  const dreamfold = await open({ directory });
  opened.push(dreamfold);
  return dreamfold;
}

function teamOf(input: z.ZodObject): AgentDefinition {
  const pay = tool({
    name: 'pay',
    description: 'Pays.',
    input,
    effect: 'keyed',
    policy: 'always_ask',
    run: (given, { idempotencyKey }) => {
      ran.push({ input: given, key: idempotencyKey });
      return 'paid';
    },
  });
  return agent({ name: 'desk', system: 'Help.', tools: [pay] });
}

/** A session whose model has asked for one payment. */
async function asked(shape: z.ZodRawShape, input: unknown) {
  const directory = temporaryDirectory();
  const dreamfold = await openAt(directory);
  const team = teamOf(z.object(shape));
  const session = await dreamfold.run(team, `@script ${JSON.stringify([{ tool: 'pay', input }, { say: 'Done.' }])}`);
  const { stopReason } = await session.done();
  const call = stopReason.type === 'requires_action' ? stopReason.event_ids[0]! : '';
  const events = async () => (await collect(dreamfold.events(session.id))).map((event) => knownEvent(event)!);
  return { directory, dreamfold, team, session, call, events };
}

const toldOf = (session: { state: { threads: readonly { messages: { toArray(): unknown[] } }[] } }): string =>
  JSON.stringify(session.state.threads[0]!.messages.toArray());

describe('what is asked for', () => {
  test.each<[string, z.ZodRawShape, unknown, unknown]>([
    ['a default is filled in', { to: z.string(), note: z.string().default('none') }, { to: 'ann' }, { to: 'ann', note: 'none' }],
    ['a value is coerced', { cents: z.coerce.number() }, { cents: '5' }, { cents: 5 }],
    ['a value is trimmed', { to: z.string().trim() }, { to: ' ann ' }, { to: 'ann' }],
    ['what no schema names is left out', { to: z.string() }, { to: 'ann', extra: 1 }, { to: 'ann' }],
    // Applied twice, it would pay a hundred times as much.
    ['a value is reckoned into another', { cents: z.number().overwrite((dollars) => dollars * 100) }, { cents: 5 }, { cents: 500 }],
  ])('is what runs: %s', async (...[, shape, input, parsed]) => {
    const { session, call } = await asked(shape, input);
    expect(session.state.threads[0]!.calls[0]).toMatchObject({ given: input, input: parsed });
    await session.approve(call);
    expect((await session.done()).text).toBe('Done.');
    expect(ran.map((one) => one.input)).toEqual([parsed]);
  });

  test('is the input as it was given where the schema makes something of it that JSON cannot hold', async () => {
    const shape = { day: z.string().pipe(z.transform((text: string) => new Date(text))) };
    const json = z.object(shape);
    const pay = tool({
      ...{ name: 'pay', description: 'Pays.', input: json, effect: 'keyed', policy: 'always_ask' },
      run: ({ day }) => {
        ran.push({ input: day, key: '' });
        return 'paid';
      },
    });
    const dreamfold = await openAt(temporaryDirectory());
    const task = `@script ${JSON.stringify([{ tool: 'pay', input: { day: '2026-11-30' } }, { say: 'Done.' }])}`;
    const session = await dreamfold.run(agent({ name: 'desk', system: 'Help.', tools: [pay] }), task);
    const { stopReason } = await session.done();
    expect(session.state.threads[0]!.calls[0]).toMatchObject({ input: { day: '2026-11-30' }, isParsed: false });
    await session.approve(stopReason.type === 'requires_action' ? stopReason.event_ids[0]! : '');
    await session.done();
    expect(ran.map((one) => one.input)).toEqual([new Date('2026-11-30')]);
  });

  test('is nothing that does not fit: the model is told, and nobody is asked', async () => {
    const { session, call } = await asked({ cents: z.number().positive() }, { cents: -5 });
    expect(call).toBe('');
    expect(await session.done()).toMatchObject({ text: 'Done.', stopReason: { type: 'end_turn' } });
    expect(toldOf(session)).toContain('pay: cents: Too small');
    expect(ran).toEqual([]);
  });

  test('of a schema that throws is told to the model too', async () => {
    const shape = {
      to: z.string().refine(() => {
        throw new Error('the directory of names is away');
      }),
    };
    const { session, call } = await asked(shape, { to: 'ann' });
    expect(call).toBe('');
    expect(toldOf(session)).toContain('the directory of names is away');
  });
});

describe('another input', () => {
  const shape = {
    to: z.string(),
    cents: z
      .number()
      .positive()
      .refine((cents) => cents !== 13, 'brings bad luck'),
  };
  const input = { to: 'ann', cents: 500 };
  const less = { to: 'ann', cents: 400 };

  test('runs under its own key, and the model is told', async () => {
    const { session, call, events } = await asked(shape, input);
    await session.approve(call, { input: less, by: 'ann' });
    await session.done();
    const key = hash('sha256', JSON.stringify([session.id, session.state.threads[0]!.id, call, 'pay', less]), 'base64url');
    expect(ran).toEqual([{ input: less, key }]);
    expect(toldOf(session)).toContain('cents: 500 → 400');
    const confirmed = (await events()).filter((event) => event.type === 'user.tool_confirmation');
    expect(confirmed).toMatchObject([{ actor: 'person:ann', data: { df_input: less } }]);
  });

  test.each([
    [{ to: 'ann', cents: -1 }, 'invalid_tool_input'],
    [{ to: 'ann', cents: 13 }, 'invalid_tool_input'],
    [{ to: 'ann', cents: 400, extra: 1 }, 'invalid_tool_input'],
    ['words', 'invalid_tool_input'],
    [{ to: 'x'.repeat(300_000), cents: 1 }, 'payload_too_large'],
  ])('%j is refused to who gives it, and the call still waits', async (other, code) => {
    const { session, call } = await asked(shape, input);
    await expect(session.approve(call, { input: other })).rejects.toMatchObject({ code });
    expect(session.state.stopReason).toEqual({ type: 'requires_action', event_ids: [call] });
    await session.approve(call);
    await session.done();
    expect(ran).toMatchObject([{ input }]);
  });

  test('from a process without the code, which the code then refuses, is not run: the call is asked for again', async () => {
    const { directory, session, call, events } = await asked(shape, input);
    const other = await openAt(directory);
    await expect(other.confirm(session.id, { toolUseId: call, result: 'allow', input: { to: 'ann', cents: -1 } })).rejects.toMatchObject({
      code: 'invalid_tool_input',
    });
    // That it brings bad luck, no JSON Schema says.
    await other.confirm(session.id, { toolUseId: call, result: 'allow', input: { to: 'ann', cents: 13 } });
    while (session.state.threads[0]!.calls[0]!.status !== 'asked' || session.state.status !== 'idle' || !(await stale()))
      await session.changed();
    async function stale(): Promise<boolean> {
      return (await events()).some((event) => event.type === 'approval.stale' && event.data.reason.includes('brings bad luck'));
    }
    expect(ran).toEqual([]);
    await other.confirm(session.id, { toolUseId: call, result: 'allow', input: less });
    while (ran.length === 0) await session.changed();
    expect((await session.done()).text).toBe('Done.');
    expect(ran).toMatchObject([{ input: less }]);
  });

  test('that was recorded while nobody ran the session runs where it is resumed, once', async () => {
    const { directory, dreamfold, team, session, call } = await asked(shape, input);
    await dreamfold.confirm(session.id, { toolUseId: call, result: 'allow', input: less });
    await dreamfold.close();
    ran.length = 0;
    const again = await openAt(directory);
    const resumed = await again.resume(team, session.id);
    expect((await resumed.done()).text).toBe('Done.');
    expect(ran.every((one) => JSON.stringify(one.input) === JSON.stringify(less))).toBe(true);
    expect(await again.verifyRequests(session.id)).toMatchObject({ requests: 2, differing: [] });
  });
});

test('who decides is on the log: the user of the operating system, unless a name is given; what a customer says stays theirs', async () => {
  for (const by of [undefined, 'bob', 'person:eve']) {
    const { session, call, events } = await asked({ to: z.string() }, { to: 'ann' });
    await (by === 'bob' ? session.deny(call, { by }) : session.approve(call, by === undefined ? {} : { by }));
    await session.done();
    const confirmed = (await events()).find((event) => event.type === 'user.tool_confirmation')!;
    expect(confirmed.actor).toBe(`person:${by?.replace('person:', '') ?? operator()}`);
    expect((await events()).find((event) => event.type === 'user.message')!.actor).toBe('user');
  }
});

test.each([
  ['allow', 'allow'],
  ['allow', 'deny'],
] as const)('of two who say %s and %s at once one wins, and the other is told', async (first, second) => {
  const { directory, session, call, events } = await asked({ to: z.string() }, { to: 'ann' });
  const [one, two] = [await openAt(directory), await openAt(directory)];
  const said = await Promise.allSettled([
    one.confirm(session.id, { toolUseId: call, result: first, by: 'one' }),
    two.confirm(session.id, { toolUseId: call, result: second, by: 'two' }),
    session.approve(call, { by: 'three' }),
  ]);
  const lost = said.flatMap((result) => (result.status === 'rejected' ? [(result.reason as { code: string }).code] : []));
  expect(lost).toEqual(['approval_already_used', 'approval_already_used']);
  while (session.state.stopReason?.type !== 'end_turn') await session.changed();
  expect((await events()).filter((event) => event.type === 'user.tool_confirmation')).toHaveLength(1);
  expect(ran.length).toBeLessThanOrEqual(1);
});
