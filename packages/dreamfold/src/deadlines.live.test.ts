// Everything that waits has an end: the cap wall_time_ms stops whatever is under way, and the log says so.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { agent, open, rubric, scripted, tool, type LogEvent, type Model, type RunOptions, type Session } from './index.ts';
import { brokenHistory, collect, orphans } from './testing/history.ts';

const df = await open();
const never = (): Promise<never> => new Promise<never>(() => {});
const usage = { input_tokens: 10, output_tokens: 5, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
/** Long enough for a session to get that far on a busy machine. */
const CAP = 600;
const lead = agent({ name: 'lead', system: '' });
const criterion = { id: 'good', ask: 'Is it good?' };

interface Ended {
  session: Session;
  events: LogEvent[];
}

async function runInTime(who: ReturnType<typeof agent>, options: RunOptions = {}): Promise<Ended> {
  const session = await df.run(who, 'Begin.', { ...options, caps: { wall_time_ms: CAP } });
  await session.done();
  const events = await collect(df.events(session.id));
  expect(session.state).toMatchObject({
    status: 'idle',
    stopReason: { type: 'budget_reached' },
    capReached: { cap: 'wall_time_ms', limit: CAP, value: expect.toSatisfy((ms: number) => ms >= CAP) as number },
  });
  expect(events.filter(({ type }) => type === 'cap.reached')).toHaveLength(1);
  expect(orphans(events)).toEqual([]);
  expect(brokenHistory(session.state)).toEqual([]);
  return { session, events };
}

const dataOf = (events: readonly LogEvent[], type: string): Record<string, unknown>[] =>
  events.filter((event) => event.type === type).map(({ data }) => data as Record<string, unknown>);

describe('the time of a session bounds', () => {
  test('a check in code that never ends, and tells it to stop', async () => {
    let signal: AbortSignal | undefined;
    const check = (view: { signal: AbortSignal }): Promise<never> => {
      ({ signal } = view);
      return never();
    };
    const { session } = await runInTime(lead, { rubric: rubric({ criteria: [{ ...criterion, check }] }) });
    expect(session.state.outcome).toMatchObject({ status: 'done', result: 'failed' });
    expect(signal?.aborted).toBe(true);
  });

  test('a model that grades and never answers; what it used counts', async () => {
    const model: Model = {
      price: { input: 1, output: 1, cacheRead: 0, cacheWrite: 0 },
      respond: (_, { onUsage }) => {
        onUsage?.(usage);
        return never();
      },
    };
    const free: Model = { ...scripted(), price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 } };
    const before = await df.run(agent({ name: 'lead', system: '', model: free }), 'Begin.');
    const { usage: leads } = await before.done();
    const { session, events } = await runInTime(agent({ name: 'lead', system: '', model: free }), {
      rubric: rubric({ criteria: [{ ...criterion, model }] }),
    });
    expect(dataOf(events, 'model.attempt_failed')).toMatchObject([{ code: 'budget_exceeded', model_usage: usage, cost_usd: 15e-6 }]);
    expect(session.state.usage.output_tokens).toBeGreaterThan(leads.output_tokens);
    expect(session.state.usage.costUsd).toBeCloseTo(15e-6, 12);
  });

  test('the wait before a grader is asked again', async () => {
    const model: Model = {
      respond: async () => {
        throw Object.assign(new Error('Later.'), {
          name: 'DreamfoldError',
          code: 'model_overloaded',
          remedy: 'Wait.',
          retryAfterMs: 30_000,
        });
      },
    };
    const { events } = await runInTime(lead, { rubric: rubric({ criteria: [{ ...criterion, model }] }) });
    expect(dataOf(events, 'model.attempt_failed')).toMatchObject([{ code: 'model_overloaded', retry_after_ms: 30_000 }]);
  });

  test('the waits between attempts at a model', async () => {
    const model: Model = {
      respond: async () => ({}) as never,
    };
    const { events } = await runInTime(agent({ name: 'lead', system: '', model }));
    const codes = dataOf(events, 'model.attempt_failed').map(({ code }) => code);
    expect(codes.slice(0, 1)).toEqual(['model_protocol_error']);
    expect(codes.at(-1)).toBe('budget_exceeded');
    expect(codes.length).toBeLessThan(5);
    expect(dataOf(events, 'session.error')).toEqual([]);
  });

  test.each([
    ['pure', 'budget_exceeded'],
    ['keyed', 'tool_outcome_unknown'],
    ['unsafe', 'tool_outcome_unknown'],
  ] as const)('a tool that is %s and never ends', async (effect, code) => {
    let signal: AbortSignal | undefined;
    const wait = tool({
      name: 'wait',
      description: 'Waits.',
      input: z.object({}),
      effect,
      run: (_, context) => {
        ({ signal } = context);
        return never();
      },
    });
    const model = scripted(({ messages }) => (messages.length === 1 ? { tool: 'wait', input: {} } : 'Done.'));
    const { events } = await runInTime(agent({ name: 'lead', system: '', model, tools: [wait] }));
    expect(dataOf(events, 'agent.tool_result')).toMatchObject([{ is_error: true, df_code: code }]);
    expect(signal?.reason).toMatchObject({ code: 'budget_exceeded' });
  });

  test('a specialist and the lead that waits for it', async () => {
    const model: Model = { respond: never };
    const asks = scripted(({ messages }) =>
      messages.length === 1 ? { tool: 'delegate', input: { agent: 'slow', message: 'Help.' } } : 'Done.',
    );
    const { events } = await runInTime(
      agent({ name: 'lead', system: '', model: asks, team: [agent({ name: 'slow', system: '', model })] }),
    );
    expect(dataOf(events, 'agent.thread_message_received')).toMatchObject([{ df_is_error: true }]);
  });
});

test('what an interrupt cuts off has been paid for', async () => {
  let asked = (): void => {};
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const model: Model = {
    respond: (_, { onUsage }) => {
      onUsage?.(usage);
      asked();
      return never();
    },
  };
  const session = await df.run(agent({ name: 'lead', system: '', model }), 'Begin.');
  await isAsked;
  await session.interrupt();
  await session.done();
  await expect.poll(() => session.state.usage.output_tokens).toBe(5);
  const failed = dataOf(await collect(df.events(session.id)), 'model.attempt_failed');
  expect(failed).toMatchObject([{ attempt: 1, code: 'interrupted', model_usage: usage, retry_after_ms: null }]);
});
