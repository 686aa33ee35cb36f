import { beforeEach, describe, expect, test } from 'vitest';
import { streamOf, text, type LogEvent, type ModelUsage } from '@dreamfold/events';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { recorded, type ModelResponse } from '@dreamfold/model';
import type { AgentDefinition, ToolContext, ToolDefinition } from '../team/definitions.ts';
import { compileTeam } from '../team/team.ts';
import { MACHINE } from '../time/surroundings.ts';
import { SessionHost } from './session-host.ts';
import type { Session } from './session.ts';

const usage: ModelUsage = { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
const done: ModelResponse = { content: [{ type: 'text', text: 'Done.' }], stopReason: 'end_turn', usage };
const calls = (...ids: string[]): ModelResponse => ({
  content: ids.map((id) => ({ type: 'tool_use', id, name: 'pay', input: { to: id } })),
  stopReason: 'tool_use',
  usage,
});

let log: Log;
/** What the tool was told of each call, in their order. */
let told: ToolContext[];

beforeEach(() => {
  log = openMemoryLog();
  told = [];
});

/** Runs a session of one agent, whose only tool does what `run` does. */
async function begin(answers: readonly ModelResponse[], run: () => unknown = () => 'paid'): Promise<Session> {
  const pay: ToolDefinition = {
    ...{ name: 'pay', description: '', inputSchema: { type: 'object' }, effect: 'keyed', policy: 'always_allow', timeoutMs: 60_000 },
    parse: (input) => input,
    run: (_input, context) => {
      told.push(context);
      return run();
    },
  };
  const lead: AgentDefinition = {
    ...{ name: 'lead', description: '', system: '', maxTokens: 99, contextWindow: 9999 },
    ...{ model: recorded(answers), tools: [pay], team: [] },
  };
  let ids = 0;
  const host = new SessionHost({
    log,
    models: () => recorded([]),
    pinnedMemory: () => Promise.resolve([]),
    ...MACHINE,
    uuid: () => `id-${(ids += 1)}`,
  });
  return host.create({ team: compileTeam(lead), task: 'Begin.' });
}

async function eventsOf({ id }: Session): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  for await (const batch of log.read(streamOf('session', id))) events.push(...batch);
  return events;
}

/** Resolves when the tool has begun. */
async function untilCalled(): Promise<void> {
  while (told.length === 0) await new Promise((resolve) => setImmediate(resolve));
}

test('each event says which event caused it: the request of an answer, the call of a result, and nothing of what came from outside', async () => {
  const session = await begin([calls('ann'), done]);
  await session.done();
  const events = await eventsOf(session);
  const causeOf = (event: LogEvent | undefined): string | undefined => events.find(({ seq }) => seq === event?.causation)?.type;
  const caused = (type: string): (string | undefined)[] => events.filter((event) => event.type === type).map(causeOf);
  expect(caused('user.message')).toEqual([undefined]);
  expect(caused('agent.tool_use')).toEqual(['span.model_request_start']);
  expect(caused('agent.tool_result')).toEqual(['agent.tool_use']);
  // What follows from a result stands in the same append, and has the same cause.
  expect(caused('span.model_request_start')).toEqual([undefined, 'agent.tool_use']);
  expect(caused('session.status_idle')).toEqual(['span.model_request_start']);
});

describe('a tool', () => {
  test('is told a key of its own for each call', async () => {
    const session = await begin([calls('ann', 'bob'), done]);
    await session.done();
    expect(new Set(told.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2);
  });

  test('is told when nobody wants its result any more', async () => {
    const session = await begin([calls('ann'), done], () => new Promise(() => {}));
    await untilCalled();
    expect(told[0]!.signal.aborted).toBe(false);
    await session.interrupt();
    await session.done();
    expect(told[0]!.signal.aborted).toBe(true);
  });
});

test('a session that somebody else has claimed is let go of, and nothing more is written to it', async () => {
  let finish: (value: string) => void = () => {};
  const session = await begin([calls('ann'), done], () => new Promise((resolve) => (finish = resolve)));
  await untilCalled();
  const stream = streamOf('session', session.id);
  const { seq, epoch } = await log.head(stream);
  const claimed = { type: 'session.claimed', class: 'claim', actor: 'system', data: { nonce: 'another' } } as const;
  const asked = { type: 'user.message', class: 'open', actor: 'user', data: { content: text('More.') } } as const;
  await log.append({ stream, id: 'claim', expected: seq, epoch: epoch + 1, events: [claimed, asked] });
  finish('paid');
  await expect(session.done()).rejects.toMatchObject({ code: 'fenced' });
  expect((await eventsOf(session)).at(-1)!.type).toBe('user.message');
});

/** A log that tells of the second of two appends that are on their way before it tells of the first. */
function answeringInReverse(inner: Log): Log {
  let held: (() => void) | null = null;
  const append: Log['append'] = async (request) => {
    const appended = await inner.append(request);
    const isResult = request.events.some(({ type }) => type === 'agent.tool_result');
    if (isResult && held === null) await new Promise<void>((resolve) => (held = resolve));
    else if (isResult) setImmediate(() => held?.());
    return appended;
  };
  return new Proxy(inner, { get: (target, key) => (key === 'append' ? append : Reflect.get(target, key, target).bind?.(target)) });
}

test('two results that are answered in the other order run no call again', async () => {
  const inner = log;
  log = answeringInReverse(inner);
  const session = await begin([calls('ann', 'bob'), done]);
  const heard: number[] = [];
  session.on('event', (event) => heard.push(event.seq));
  await session.done();
  log = inner;
  expect(told).toHaveLength(2);
  expect(heard).toEqual(heard.toSorted((a, b) => a - b));
});
