// What a caller without types, or with a slip, hands to the front door: a named error, and nothing is written.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { agent, checkRun, isDreamfoldError, open, rubric, tool, type AgentOptions, type RubricOptions, type RunOptions } from './index.ts';
import { collect } from './testing/history.ts';

const df = await open();
const lead = agent({ name: 'lead', system: '' });

test.each<[options: unknown, path: string]>([
  [{ caps: { bogus: 1 } }, 'caps/bogus'],
  [{ caps: { turns: -1 } }, 'caps/turns'],
  [{ caps: { turns: Number.NaN } }, 'caps/turns'],
  [{ caps: { turns: '3' } }, 'caps/turns'],
  [{ caps: new Map([['turns', 3]]) }, 'caps'],
  [{ cap: { turns: 3 } }, 'cap'],
  [{ memory: [7] }, 'memory/0'],
  [{ memory: 'support' }, 'memory'],
  [{ idempotencyKey: 7 }, 'idempotencyKey'],
  [{ principal: '' }, 'principal'],
  [{ title: 7 }, 'title'],
  [{ rubric: 7 }, 'rubric'],
  [null, 'options'],
])('run with %j is refused at %s', async (options, path) => {
  const error = await df.run(lead, 'Begin.', options as RunOptions).catch((e: unknown) => e);
  expect(isDreamfoldError(error, 'invalid_argument')).toBe(true);
  expect(error).toMatchObject({ path });
  for await (const id of df.sessions()) expect.fail(`${id} was written`);
});

test('a session does not go on with a team that lacks its agents, and nothing is written', async () => {
  const session = await df.run(lead, 'Begin.');
  await session.done();
  const before = await collect(df.events(session.id));
  const error = await df.resume(agent({ name: 'other', system: '' }), session.id).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: 'unknown_agent', value: ['lead'] });
  expect(await collect(df.events(session.id))).toEqual(before);
});

/** What a program that no compiler has seen may hold. */
const untyped = (options: object): never => options as never;
const criterion = { id: 'a', ask: 'b', check: () => true };
const look = { name: 'look', description: '', input: z.object({}), run: () => '' };
const circular: { self?: unknown } = {};
circular.self = circular;

test.each<[what: string, call: () => unknown, code: string, path: string, says: RegExp]>([
  [
    'tool: polcy',
    () => tool(untyped({ ...look, polcy: 'always_ask' })),
    'invalid_team',
    'tools/polcy',
    /tool look: .*did you mean "policy"/,
  ],
  [
    'tool: policy ask',
    () => tool(untyped({ ...look, policy: 'ask' })),
    'invalid_team',
    'tools/policy',
    /tool look: policy: .*"always_ask"/,
  ],
  ['tool: effect safe', () => tool(untyped({ ...look, effect: 'safe' })), 'invalid_team', 'tools/effect', /tool look: effect: .*"pure"/],
  ['tool: description', () => tool(untyped({ ...look, description: 5 })), 'invalid_team', 'tools/description', /tool look/],
  [
    'agent: tols',
    () => agent(untyped({ name: 'a', system: '', tols: [] })),
    'invalid_team',
    'team/tols',
    /agent a: .*did you mean "tools"/,
  ],
  ['agent: systm', () => agent(untyped({ name: 'a', systm: '' })), 'invalid_team', 'team/systm', /did you mean "system"/],
  ['agent: a name', () => agent({ name: 'a b', system: '' }), 'invalid_team', 'team/name', /"a b" is no name/],
  [
    'agent: a tool by hand',
    () => agent({ name: 'a', system: '', tools: [{ ...tool(look), policy: 'ask' as never }] }),
    'invalid_team',
    'team/a/tools/0/policy',
    /tool look of the agent a: policy: .*"always_ask"/,
  ],
  [
    'rubric: maxIteration',
    () => rubric(untyped({ criteria: [criterion], maxIteration: 1 })),
    'invalid_rubric',
    'maxIteration',
    /"maxIterations"/,
  ],
  ['rubric: a symbol as text', () => rubric(untyped({ criteria: [criterion], text: Symbol('x') })), 'invalid_rubric', 'text', /symbol/],
  ['rubric: a cycle as text', () => rubric(untyped({ criteria: [criterion], text: circular })), 'invalid_rubric', 'text', /object/],
  ['rubric: passScore empty', () => rubric(untyped({ criteria: [criterion], passScore: '' })), 'invalid_rubric', 'passScore', /string/],
  ['rubric: passScore []', () => rubric(untyped({ criteria: [criterion], passScore: [] })), 'invalid_rubric', 'passScore', /array/],
  [
    'criterion: chek',
    () => rubric(untyped({ criteria: [{ id: 'a', ask: 'b', chek: 1 }] })),
    'invalid_rubric',
    'criteria/0/chek',
    /"check"/,
  ],
  [
    'criterion: two judges',
    () => rubric(untyped({ criteria: [{ ...criterion, person: true }] })),
    'invalid_rubric',
    'criteria/0',
    /exactly one/,
  ],
  ['criterion: no judge', () => rubric(untyped({ criteria: [{ id: 'a', ask: 'b' }] })), 'invalid_rubric', 'criteria/0', /exactly one/],
  [
    'criterion: a weight',
    () => rubric(untyped({ criteria: [{ ...criterion, weight: '1' }] })),
    'invalid_rubric',
    'criteria/0/weight',
    /number/,
  ],
  ['open: dirctory', () => open(untyped({ dirctory: 'x' })), 'invalid_argument', 'dirctory', /did you mean "directory"/],
  ['open: directory 5', () => open(untyped({ directory: 5 })), 'invalid_argument', 'directory', /string/],
  ['open: a log that is none', () => open(untyped({ log: {} })), 'invalid_argument', 'log', /kafka:/],
  ['open: a model that is none', () => open(untyped({ models: { own: 7 } })), 'invalid_argument', 'models/own', /a model/],
  ['run: caps.turn', () => df.run(lead, 'Begin.', untyped({ caps: { turn: 3 } })), 'invalid_argument', 'caps/turn', /did you mean "turns"/],
  ['run: rubric {}', () => df.run(lead, 'Begin.', untyped({ rubric: {} })), 'invalid_argument', 'rubric/name', /run\(\)/],
  ['work: a team', () => df.work(untyped({ teams: [{ leed: lead }] })), 'invalid_argument', 'teams/0/leed', /did you mean "lead"/],
  ['keepDreaming: a rule', () => df.keepDreaming(untyped({ rules: [{ stor: 'x' }] })), 'invalid_argument', 'dreams/0/stor', /"store"/],
  ['dream of a name alone', () => df.dream(untyped('support' as never)), 'invalid_argument', 'options', /expected an object of options/],
  ['feedback: verdct', () => df.feedback('sesn_x', untyped({ verdct: 'right' })), 'invalid_argument', 'verdct', /"verdict"/],
])('%s is told', async (...[, call, code, path, says]) => {
  const error = await (async () => call())().catch((e: unknown) => e);
  expect(error).toMatchObject({ code, path, message: expect.stringMatching(says) as string, remedy: expect.any(String) as string });
});

test.each<[what: string, check: () => unknown, says: RegExp]>([
  [
    'throws',
    () => {
      throw new Error('bad check');
    },
    /^The grader of tone failed: bad check/,
  ],
  ['gives a text', () => 'good', /^The grader of tone gave .*Return true or false/],
  ['gives nothing', () => null, /^The grader of tone gave .*Return true or false/],
])('a grader that %s is named by its criterion', async (_, check, says) => {
  const tone = rubric(untyped({ criteria: [{ id: 'tone', ask: 'Is it kind?', check }] }));
  const session = await df.run(lead, 'Begin.', { rubric: tone });
  await session.done();
  const ended = (await collect(df.events(session.id))).find(({ type }) => type === 'span.outcome_evaluation_end');
  expect(ended).toMatchObject({ data: { explanation: expect.stringMatching(says) as string } });
});

test('what is refused here does not compile either', () => {
  // @ts-expect-error -- a criterion has one judge
  expect(() => rubric({ criteria: [{ ...criterion, person: true }] })).toThrow(/exactly one/);
  // @ts-expect-error -- it is called policy
  expect(() => tool({ ...look, polcy: 'always_ask' })).toThrow(/policy/);
  // @ts-expect-error -- it is called caps
  expect(() => checkRun(agent({ name: 'a', system: '', cap: {} }), 'Begin.')).toThrow(/cap/);
});

const nothing = null as never;
test.each<[what: string, call: () => unknown, code: string]>([
  ['rubric(null)', () => rubric(nothing), 'invalid_rubric'],
  ['rubric of criteria [null]', () => rubric({ criteria: [nothing] }), 'invalid_rubric'],
  ['rubric of criteria [7]', () => rubric({ criteria: [7] } as unknown as RubricOptions), 'invalid_rubric'],
  ['a check that is none', () => rubric({ criteria: [{ id: 'a', ask: 'b', check: nothing }] }), 'invalid_rubric'],
  ['a schema that is none', () => rubric({ criteria: [{ id: 'a', ask: 'b', schema: nothing }] }), 'invalid_rubric'],
  ['a model that is none', () => rubric({ criteria: [{ id: 'a', ask: 'b', model: nothing }] }), 'invalid_rubric'],
  ['agent(null)', () => agent(nothing), 'invalid_team'],
  ['agent of tools [null]', () => agent({ name: 'a', system: '', tools: [nothing] }), 'invalid_team'],
  ['agent of team [null]', () => agent({ name: 'a', system: '', team: [nothing] }), 'invalid_team'],
  ['agent of tools 7', () => agent({ name: 'a', system: '', tools: 7 } as unknown as AgentOptions), 'invalid_team'],
  ['tool(null)', () => tool(nothing), 'invalid_team'],
  ['tool without input', () => tool({ name: 'a', description: 'b', run: () => '' } as never), 'invalid_team'],
  ['open(null)', () => open(nothing), 'invalid_argument'],
  ['open of a log that is no address', () => open({ log: './data' }), 'config_invalid'],
  ['open of an address without a prefix', () => open({ log: 'kafka://host' }), 'config_invalid'],
  ['open on Kafka with durability', () => open({ log: 'kafka://host/p', durability: 'full' }), 'invalid_argument'],
  ['open on Kafka with acceptHead', () => open({ log: 'kafka://host/p', acceptHead: true }), 'invalid_argument'],
  ['open where nothing is, with mustExist', () => open({ directory: import.meta.dirname, mustExist: true }), 'not_found'],
  ['run(null)', () => df.run(nothing, 'Begin.'), 'invalid_team'],
  ['run of a task null', () => df.run(lead, nothing), 'invalid_argument'],
  ['resume(null)', () => df.resume(nothing, 'sesn_x'), 'invalid_team'],
  ['resume of a session null', () => df.resume(lead, nothing), 'invalid_argument'],
  ['send of null', async () => (await df.run(lead, 'Begin.')).send(nothing), 'invalid_argument'],
])('%s is refused by name', async (...[, call, code]) => {
  const error = await (async () => call())().catch((e: unknown) => e);
  expect(error).toMatchObject({ name: 'DreamfoldError', code, remedy: expect.any(String) as string });
});
