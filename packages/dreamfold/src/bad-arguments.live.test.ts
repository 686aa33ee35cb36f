// What a caller without types, or with a slip, hands to the front door: a named error, and nothing is written.
import { expect, test } from 'vitest';
import { agent, isDreamfoldError, open, rubric, tool, type AgentOptions, type RubricOptions, type RunOptions } from './index.ts';
import { collect } from './testing/history.ts';

const df = await open();
const lead = agent({ name: 'lead', system: '' });

test.each<[options: unknown, path: string]>([
  [{ caps: { bogus: 1 } }, 'caps/bogus'],
  [{ caps: { turns: -1 } }, 'caps/turns'],
  [{ caps: { turns: Number.NaN } }, 'caps/turns'],
  [{ caps: { turns: '3' } }, 'caps/turns'],
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
