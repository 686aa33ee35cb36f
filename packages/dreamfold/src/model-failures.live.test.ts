// What models do wrong, over real HTTP: attempts are events, and a failure stays in its thread.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isDreamfoldError } from '@dreamfold/events';
import { serveMessages, type ServedReply, type ServedRequest } from '@dreamfold/model/testing';
import { agent, anthropic, open, rubric, scripted, tool, type LogEvent, type Model, type Session } from './index.ts';
import { brokenHistory, collect, orphans } from './testing/history.ts';

const df = await open();
const systemOf = (request: ServedRequest): string => request.system?.[0]?.text ?? '';

interface Ran {
  session: Session;
  events: LogEvent[];
  requests: readonly ServedRequest[];
}

/** A lead with specialists that do what `reply` says, each named by its system prompt; the lead asks all of them, then is done. */
async function run(specialists: readonly string[], reply: (name: string, n: number, request: ServedRequest) => ServedReply): Promise<Ran> {
  const counts = new Map<string, number>();
  const server = await serveMessages((request) => {
    const name = systemOf(request);
    const n = counts.get(name) ?? 0;
    counts.set(name, n + 1);
    if (name !== 'lead') return reply(name, n, request);
    const calls = specialists.map((to, i) => ({ tool: 'delegate', id: `d${i}`, input: { agent: to, message: 'Help.' } }));
    return n === 0 && calls.length > 0 ? { content: calls } : reply(name, n, request);
  });
  const model = anthropic({ baseURL: server.url, apiKey: 'test' });
  const look = tool({ name: 'look', description: 'Looks.', input: z.object({}), run: () => 'seen' });
  const team = specialists.map((name) => agent({ name, system: name, model, tools: [look] }));
  const session = await df.run(agent({ name: 'lead', system: 'lead', model, team, tools: [look] }), 'Begin.');
  await session.done();
  await server.close();
  const events = await collect(df.events(session.id));
  expect(orphans(events)).toEqual([]);
  expect(brokenHistory(session.state)).toEqual([]);
  return { session, events, requests: server.requests };
}

const attempts = (events: readonly LogEvent[]): { actor: string; attempt: number; code: string; retry_after_ms: number | null }[] =>
  events
    .filter(({ type }) => type === 'model.attempt_failed')
    .map(({ actor, data }) => ({ ...(data as { attempt: number; code: string; retry_after_ms: number | null }), actor }));
const starts = (events: readonly LogEvent[]): number => events.filter(({ type }) => type === 'span.model_request_start').length;

describe('a model over HTTP', () => {
  test('that is busy, limited or cut off is asked again; the server’s requests are those on the log', async () => {
    const failures: Record<string, ServedReply> = {
      busy: { status: 529, type: 'overloaded_error', message: 'Busy.' },
      limited: { status: 429, type: 'rate_limit_error', message: 'Slow down.', headers: { 'retry-after': '0' } },
      cut: { content: [{ text: 'Half of i' }], cut: { before: 4, how: 'reset' } },
      torn: { content: [{ tool: 'look', json: '{"at": ' }] },
    };
    const names = [...Object.keys(failures), 'fine'];
    const { session, events, requests } = await run(names, (name, n) =>
      n === 0 && name !== 'lead' ? (failures[name] ?? 'Fine.') : `${name} is done.`,
    );
    expect(session.state.stopReason).toEqual({ type: 'end_turn' });
    expect(
      attempts(events)
        .map(({ code }) => code)
        .toSorted(),
    ).toEqual(['model_overloaded', 'model_protocol_error', 'model_rate_limited', 'model_unavailable']);
    for (const { attempt, retry_after_ms } of attempts(events)) {
      expect(attempt).toBe(1);
      expect(retry_after_ms).toBeGreaterThanOrEqual(250);
    }
    expect(requests).toHaveLength(starts(events) + attempts(events).length);
    // Nothing of a broken answer is left.
    expect(JSON.stringify(events)).not.toContain('Half of i');
    const reports = session.state.threads[0]!.messages.at(2)!.content;
    expect(reports.map((block) => (block.type === 'tool_result' ? [block.content, block.is_error] : []))).toEqual([
      ['busy is done.', false],
      ['limited is done.', false],
      ['cut is done.', false],
      ['torn is done.', false],
      ['Fine.', false],
    ]);
  });

  test('that refuses, is cut at max_tokens, or is told never to come back fails its thread alone', async () => {
    const replies: Record<string, ServedReply> = {
      refuses: {
        content: [{ text: 'No.' }],
        stopReason: 'refusal',
        stopDetails: { type: 'refusal', category: 'cyber', explanation: 'Not this.' },
      },
      long: { content: [{ text: 'And then' }], stopReason: 'max_tokens' },
      wrong: { status: 400, type: 'invalid_request_error', message: 'No such field.' },
      fine: 'Fine.',
    };
    const { session, events, requests } = await run(Object.keys(replies), (name) => replies[name] ?? 'Done.');
    const reports = session.state.threads[0]!.messages.at(2)!.content;
    expect(reports.map((block) => (block.type === 'tool_result' ? block.is_error : null))).toEqual([true, true, true, false]);
    expect(requests).toHaveLength(starts(events));
    expect(session.state).toMatchObject({ stopReason: { type: 'end_turn' } });
    expect(
      events
        .filter(({ type }) => type === 'session.thread_status_idle')
        .map(({ data }) => (data as { stop_reason: { type: string } }).stop_reason.type)
        .toSorted(),
    ).toEqual(['end_turn', 'end_turn', 'refusal', 'retries_exhausted', 'retries_exhausted']);
  });

  test('that pauses, or fills an answer without end, is asked once, and what that cost counts', async () => {
    const paid = { input_tokens: 100, output_tokens: 7 };
    const replies: Record<string, ServedReply> = {
      pauses: { content: [{ text: 'Hm.' }], stopReason: 'pause_turn', usage: paid },
      floods: { content: [{ text: 'x'.repeat(300_000) }], usage: paid },
      fine: { content: [{ text: 'Fine.' }], usage: paid },
    };
    const { session, events, requests } = await run(Object.keys(replies), (name) => replies[name] ?? 'Done.');
    expect(attempts(events).map(({ code, retry_after_ms }) => [code, retry_after_ms])).toEqual(
      expect.arrayContaining([
        ['model_answer_unsupported', null],
        ['payload_too_large', null],
      ]),
    );
    expect(requests).toHaveLength(starts(events));
    const reports = session.state.threads[0]!.messages.at(2)!.content;
    expect(JSON.stringify(reports[0])).toContain('pause_turn');
    // The lead was answered twice, of 10 and 5 tokens; of the flood only the beginning was heard.
    expect(session.state.usage).toMatchObject({ input_tokens: 2 * 10 + 3 * 100, output_tokens: 2 * 5 + 7 + 1 + 7 });
  });

  test('that sends half a character is sent back what is whole', async () => {
    const { session, events, requests } = await run([], (_, n) =>
      n === 0 ? { content: [{ text: 'Half: \ud83d.' }, { tool: 'look' }] } : 'Done.',
    );
    expect(session.state.stopReason).toEqual({ type: 'end_turn' });
    expect(requests[1]!.messages[1]!.content[0]).toMatchObject({ text: 'Half: \ufffd.' });
    expect(events.find(({ type }) => type === 'agent.message')?.data).toMatchObject({ df_repaired: true });
    expect(events.findLast(({ type }) => type === 'agent.message')?.data).not.toHaveProperty('df_repaired');
  });

  test('that calls what is not there, or two tools by one id, gets a result for each call', async () => {
    const { session, events } = await run([], (_, n) => {
      if (n === 0) return { content: [{ tool: 'fly', id: 'same', input: {} }] };
      return n === 1
        ? {
            content: [
              { tool: 'look', id: 'same' },
              { tool: 'look', id: 'same2' },
            ],
          }
        : 'Done.';
    });
    expect(session.state.stopReason).toEqual({ type: 'end_turn' });
    const results = events.filter(({ type }) => type === 'agent.tool_result').map(({ data }) => (data as { df_code?: string }).df_code);
    expect(results).toEqual(['unknown_tool', undefined, undefined]);
  });
});

describe('a model of one’s own', () => {
  const lead = (broken: string | Model): ReturnType<typeof agent> => {
    const models = { name: 'broken', system: 'broken', model: broken };
    const ask = (name: string): { tool: string; input: unknown } => ({ tool: 'delegate', input: { agent: name, message: 'Help.' } });
    const model = scripted(({ messages }) => (messages.length === 1 ? [ask('broken'), ask('fine')] : 'Done.'));
    return agent({ name: 'lead', system: 'lead', model, team: [agent(models), agent({ name: 'fine', system: 'fine' })] });
  };

  test.each([
    [
      'throws an error',
      scripted(() => {
        throw new Error('no route to host');
      }),
      'no route to host',
    ],
    [
      'throws anything',
      {
        respond: async () => {
          throw { status: 500 };
        },
      },
      'status: 500',
    ],
    [
      'throws a book',
      scripted(() => {
        throw new Error('x'.repeat(1_000_000));
      }),
      'xxx',
    ],
    [
      'throws what looks like an error of ours',
      {
        respond: async () => {
          throw Object.assign(new Error('a fake'), { name: 'DreamfoldError' });
        },
      },
      'a fake',
    ],
    ['answers more than an event holds', scripted(() => 'x'.repeat(400_000)), 'The answer is'],
    ['calls with more than an event holds', scripted(() => ({ tool: 'look', input: { text: 'x'.repeat(400_000) } })), 'The answer is'],
  ])('that %s fails its thread alone', async (_, model, words) => {
    const session = await df.run(lead(model), 'Begin.');
    expect((await session.done()).text).toBe('Done.');
    const [broken, fine] = session.state.threads[0]!.messages.at(2)!.content;
    expect(broken).toMatchObject({ is_error: true, content: expect.stringContaining(words) as string });
    expect(fine).toMatchObject({ is_error: false, content: 'I was asked: Help.' });
  });

  test('that does not exist is said before anything starts', async () => {
    const error = await df.run(lead('no-such-model'), 'Begin.').catch((e: unknown) => e);
    expect(isDreamfoldError(error, 'unknown_model')).toBe(true);
    expect((error as Error).message).toBe('Agent broken: There is no model "no-such-model"');
  });
});

describe('a model that grades', () => {
  test('is asked again when it is busy, each model by its own count', async () => {
    const busy = (): Model => {
      const grader = scripted();
      let failed = false;
      return {
        respond: async (request, call) => {
          if (failed) return grader.respond(request, call);
          failed = true;
          return scripted().respond(
            { ...request, tools: [], messages: [{ role: 'user', content: [{ type: 'text', text: '@script [{"fail":"overloaded"}]' }] }] },
            call,
          );
        },
        price: { input: 1, output: 1, cacheRead: 0, cacheWrite: 0 },
      };
    };
    const criteria = ['short', 'true'].map((id) => ({ id, ask: `Is it ${id}?`, model: busy() }));
    const session = await df.run(
      agent({ name: 'lead', system: '', model: { ...scripted(), price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 } } }),
      'Write.',
      { rubric: rubric({ criteria }) },
    );
    const { outcome, usage } = await session.done();
    expect(outcome).toMatchObject({ result: 'satisfied', score: 1 });
    expect(attempts(await collect(df.events(session.id))).map(({ actor, attempt }) => [actor, attempt])).toEqual([
      ['grader', 1],
      ['grader', 1],
    ]);
    expect(usage.costUsd).toBeGreaterThan(0);
  });

  test('and fails fails the outcome, not the session', async () => {
    const broken = scripted(() => {
      throw new Error('no grader today');
    });
    const session = await df.run(agent({ name: 'lead', system: '' }), 'Write.', {
      rubric: rubric({ criteria: [{ id: 'good', ask: 'Is it good?', model: broken }] }),
    });
    expect(await session.done()).toMatchObject({
      text: 'I was asked: Write. <rubric> - good (weight 1): Is it good? </rubric>',
      outcome: { result: 'failed' },
    });
    expect(session.state.outcome!.explanation).toBe('The grader of good failed: no grader today');
  });
});

test('a model that never answers is stopped when the time of the session is over', async () => {
  let reason: unknown;
  const model: Model = {
    respond: (_, { signal }) => new Promise<never>(() => signal.addEventListener('abort', () => (reason = signal.reason))),
  };
  const session = await df.run(agent({ name: 'lead', system: '', model }), 'Begin.', { caps: { wall_time_ms: 50 } });
  const { stopReason } = await session.done();
  expect(stopReason).toEqual({ type: 'budget_reached' });
  expect(session.state.capReached).toMatchObject({ cap: 'wall_time_ms', limit: 50, value: expect.toSatisfy((ms) => ms >= 50) });
  await expect(session.send('More.')).rejects.toMatchObject({ code: 'budget_exceeded' });
  expect(reason).toMatchObject({ code: 'budget_exceeded' });
});
