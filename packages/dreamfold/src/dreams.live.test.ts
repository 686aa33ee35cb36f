// Dreams that nobody asks for, through the front door.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { agent, open, scripted, tool, type Dreamfold, type DreamNews, type OpenOptions } from './index.ts';
import { collect } from './testing/history.ts';
import { LOGS, temporaryDirectory } from './testing/log-fixtures.ts';

const route = tool({
  name: 'route',
  description: 'Routes a ticket.',
  input: z.object({ queue: z.enum(['account', 'billing', 'technical']) }),
  effect: 'pure',
  run: () => 'ok',
});
const model = scripted((request) => (request.messages.length === 1 ? { tool: 'route', input: { queue: 'account' } } : 'Routed.'));
const router = agent({ name: 'router', system: 'Route.', tools: [route], model });

type Ticket = readonly [principal: string, request: string, right: string];

const TICKETS: readonly Ticket[] = [
  ['ann', 'I would like a refund', 'billing'],
  ['bob', 'Please refund the second charge', 'billing'],
  ['cem', 'A refund was promised', 'billing'],
  ['eva', 'The app crashes at once', 'technical'],
  ['fay', 'It crashes on start', 'technical'],
  ['gus', 'Why crashes it again', 'technical'],
];

async function makeStore(df: Dreamfold): Promise<void> {
  await df.memory.create({ name: 'desk', description: '', approval: 'auto' }, 'person:ann');
}

/** Runs a session, and says what would have been right. */
async function handle(df: Dreamfold, [principal, request, queue]: Ticket): Promise<string> {
  const session = await df.run(router, request, { principal: { id: principal, authenticated: true }, memory: ['desk'] });
  let call = '';
  session.on('agent.tool_use', ({ id }) => (call = id));
  await session.done();
  await session.feedback({
    judges: call,
    verdict: queue === 'account' ? 'right' : 'wrong',
    right_answer: { queue },
    by: 'desk',
    class: 'desk',
  });
  return session.id;
}

async function reviewed(df: Dreamfold): Promise<string[]> {
  const dreams = await df.dreams.list();
  return dreams.flatMap(({ state }) => state.reviewed.sessions.map(({ session_id: id }) => id));
}

describe.each(LOGS)('on the log $name', ({ openLog }) => {
  test('a store dreams after each session, without being asked, and what it learns reaches the next one', async () => {
    const df = await open({ log: await openLog(), dreams: { store: 'desk', after: 1 } });
    await makeStore(df);
    const sessions: string[] = [];
    // One round proves nothing, and each look asks for more.
    for (const ticket of [1, 2, 3, 4, 5, 6, 7, 8].flatMap((round) =>
      TICKETS.map(([who, ...rest]): Ticket => [`${who}${round}`, ...rest]),
    )) {
      sessions.push(await handle(df, ticket));
      await vi.waitFor(async () => expect(await reviewed(df)).toContain(sessions.at(-1)));
    }
    await vi.waitFor(async () => {
      expect(JSON.stringify((await df.memory.load('desk')).state.document)).toContain('"value":"billing"');
    });
    const next = await df.run(router, 'Where is my refund', { memory: ['desk'] });
    await next.done();
    const given = (await collect(df.events(next.id))).find(({ type }) => type === 'memory.given');
    expect(given).toMatchObject({ data: { insights: [{ insight_id: expect.any(String) as string }] } });
    await df.close();
  });
});

test('closing waits for the dream under way, and what finished before is caught up with at the next start', async () => {
  const directory = temporaryDirectory();
  const df = await open({ directory });
  await makeStore(df);
  const sessions: string[] = [];
  for (const ticket of TICKETS) sessions.push(await handle(df, ticket));
  await df.close();

  const news: DreamNews[] = [];
  const again = await open({ directory, dreams: [{ store: 'desk', after: 6 }], onDream: (one) => news.push(one) });
  await vi.waitFor(async () => expect((await again.dreams.list()).length).toBe(1));
  await again.close();
  expect(news).toMatchObject([{ type: 'dreamt', store: 'desk', report: { reviewed: { sessions: 6 } } }]);

  const looking = await open({ directory, readOnly: true });
  expect((await reviewed(looking)).toSorted()).toEqual(sessions.toSorted());
  expect((await looking.dreams.list()).map(({ state }) => state.status)).toEqual(['completed']);
  await looking.close();
});

test('a dream that fails is a warning of the process, unless somebody listens', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void (warning.name === 'DreamfoldWarning' && warnings.push(warning));
  process.on('warning', onWarning);
  try {
    const df = await open({ dreams: { store: 'desk' } });
    await (await df.run(router, 'Hello')).done();
    await vi.waitFor(() =>
      expect(warnings).toMatchObject([{ code: 'not_found', message: /store desk failed: There is no memory store desk/ }]),
    );
    await makeStore(df);
    await vi.waitFor(async () => expect(await reviewed(df)).toHaveLength(1), 5000);
    await df.close();
  } finally {
    process.off('warning', onWarning);
  }
});

test.each<[options: OpenOptions, path: string, message: RegExp]>([
  [{ readOnly: true, dreams: { store: 'desk' } }, 'dreams', /read-only cannot dream/],
  [{ dreams: { store: 'desk', after: 0 } }, 'dreams/0/after', /Too small/],
  [{ dreams: [{ store: 'desk' }, { store: 'desk' }] }, 'dreams/1/store', /named twice/],
  [{ dreams: { store: 'desk', schedule: 'soon' } }, 'dreams/0/schedule', /"soon" is no schedule/],
  [{ dreams: 'desk' as never }, 'dreams/0', /expected an object/],
  [{ dreams: [] }, 'dreams', /no store/],
])('open with %j is refused at %s, and makes no directory', async (options, path, message) => {
  const directory = join(temporaryDirectory(), 'data');
  const error = await open({ directory, ...options }).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: 'invalid_argument', path, message: expect.stringMatching(message) as string });
  expect(existsSync(directory)).toBe(false);
});
