// What a caller without types, or with a slip, hands to the front door: a named error, and nothing is written.
import { expect, test } from 'vitest';
import { agent, isDreamfoldError, open, type RunOptions } from './index.ts';
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
