// Several writers on one session: what another process, a person or a desk appends while the session runs here.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { interrupt, sendMessage } from '@dreamfold/core';
import { streamOf, type NewEvent } from '@dreamfold/events';
import type { Appended, Log } from '@dreamfold/log';
import { agent, open, scripted, tool } from './index.ts';
import { brokenHistory, collect, orphans } from './testing/history.ts';
import { hookedLog } from './testing/hooked-log.ts';
import { LOGS } from './testing/log-fixtures.ts';
import { addNewerEvent } from './testing/newer-event.ts';

const feedback: NewEvent = {
  type: 'feedback.recorded',
  class: 'open',
  actor: 'person:desk',
  data: { judges: 'x', verdict: 'right', by: 'desk' },
};

function deferred(): { promise: Promise<string>; resolve: (value: string) => void } {
  let resolve!: (value: string) => void;
  const promise = new Promise<string>((r) => (resolve = r));
  return { promise, resolve };
}

const look = tool({ name: 'look', description: 'Looks.', input: z.object({ n: z.number() }), effect: 'pure', run: ({ n }) => `saw ${n}` });
const TWO_LOOKS = '@script [[{"tool":"look","input":{"n":1}},{"tool":"look","input":{"n":2}}],{"say":"done"}]';

describe.each(LOGS)('on a log that others write to: $name', ({ openLog }) => {
  test("an append that was sent ahead does not count on another writer's, though the seq fits", async () => {
    const log = await openLog();
    let first: (() => Promise<Appended>) | undefined;
    const second = deferred();
    const hooked: Log = hookedLog(log, async (request, append) => {
      if (request.events[0]!.type !== 'agent.tool_result') return append();
      if (first === undefined) {
        first = append;
        await second.promise;
        // Exactly as many events as the first append has, so that the second one's seq fits.
        for (let i = 0; i < request.events.length; i += 1)
          await log.append({ stream: request.stream, id: `desk${i}`, expected: 'any', events: [feedback] });
        return append();
      }
      second.resolve('');
      await sleep(20);
      return append();
    });
    const df = await open({ log: hooked });
    const session = await df.run(agent({ name: 'lead', system: '', tools: [look] }), TWO_LOOKS);
    expect(await session.done()).toMatchObject({ text: 'done', stopReason: { type: 'end_turn' } });
    const events = await collect(df.events(session.id));
    expect(orphans(events)).toEqual([]);
    expect(brokenHistory(await df.session(session.id))).toEqual([]);
    expect(events.filter((event) => event.type === 'feedback.recorded')).toHaveLength(1);
    expect(session.state).toEqual(await df.session(session.id));
  });

  test.each([1, 2, 3, 10])('another writer is first %i times in a row', async (times) => {
    const log = await openLog();
    let left = times;
    const hooked = hookedLog(log, async (request, append) => {
      if (request.events.some((event) => event.type === 'agent.tool_result') && left > 0) {
        left -= 1;
        await log.append({ stream: request.stream, id: `desk${left}`, expected: 'any', events: [feedback] });
      }
      return append();
    });
    const df = await open({ log: hooked });
    const session = await df.run(agent({ name: 'lead', system: '', tools: [look] }), TWO_LOOKS);
    expect((await session.done()).text).toBe('done');
    expect(orphans(await collect(df.events(session.id)))).toEqual([]);
    expect(session.state).toEqual(await df.session(session.id));
  });

  test('what others write is noticed although the own append has nothing left to say', async () => {
    const log = await openLog();
    const df = await open({ log });
    const ask = tool({ ...spec('ask'), policy: 'always_ask', run: () => 'ran' });
    const session = await df.run(agent({ name: 'lead', system: '', tools: [ask] }), '@script [{"tool":"ask","input":{}},{"say":"done"}]');
    const { stopReason } = await session.done();
    const [call] = stopReason.type === 'requires_action' ? stopReason.event_ids : [];
    await log.append({
      stream: streamOf('session', session.id),
      id: 'other',
      expected: 'any',
      events: [{ type: 'user.tool_confirmation', class: 'open', actor: 'person:ann', data: { result: 'deny', tool_use_id: call } }],
    });
    // Whether the denied call is closed by then is a race.
    await expect(session.approve(call!)).rejects.toMatchObject({ code: expect.stringMatching(/^approval_(?:already_used|not_found)$/) });
    expect(await session.done()).toMatchObject({ text: 'done', stopReason: { type: 'end_turn' } });
    expect(orphans(await collect(df.events(session.id)))).toEqual([]);
  });

  test('an interrupt that is first leaves nothing of a late answer but its words and its price', async () => {
    const log = await openLog();
    let interrupted = false;
    const hooked = hookedLog(log, async (request, append) => {
      if (request.events.some((event) => event.type === 'session.thread_created') && !interrupted) {
        interrupted = true;
        await log.append({
          stream: request.stream,
          id: 'stop',
          expected: 'any',
          events: [{ type: 'user.interrupt', class: 'open', actor: 'user', data: {} }],
        });
      }
      return append();
    });
    const df = await open({ log: hooked });
    const helper = agent({ name: 'helper', system: '' });
    const task = '@script [{"delegate":"helper","message":"help"},{"say":"done"}]';
    const session = await df.run(agent({ name: 'lead', system: '', team: [helper] }), task);
    await session.done();
    const events = await collect(df.events(session.id));
    const stop = events.findIndex((event) => event.type === 'user.interrupt');
    const after = events.slice(stop).map((event) => event.type);
    expect(after).not.toContain('span.model_request_start');
    expect(after).not.toContain('session.thread_created');
    expect(events.find((event) => event.type === 'span.model_request_end')!.data).toMatchObject({ df_stop_reason: 'interrupted' });
    expect(session.state.usage.output_tokens).toBeGreaterThan(0);
    expect(session.state.status).toBe('idle');
    expect(brokenHistory(session.state)).toEqual([]);
    // It goes on from there.
    await session.send('@script [{"say":"again"}]');
    expect((await session.done()).text).toBe('again');
  });

  test('a refused command harms nothing but itself', async () => {
    const df = await open({ log: await openLog() });
    const gate = deferred();
    const wait = tool({ ...spec('wait'), run: () => gate.promise });
    const session = await df.run(agent({ name: 'lead', system: '', tools: [wait] }), '@script [{"tool":"wait","input":{}},{"say":"done"}]');
    const huge = session.send('x'.repeat(300_000));
    const small = session.send('@script [{"say":"and this"}]');
    await expect(huge).rejects.toMatchObject({ code: 'payload_too_large' });
    await small;
    await expect(session.approve('nothing', { by: 'ann\n' })).rejects.toMatchObject({ code: 'approval_not_found' });
    gate.resolve('ready');
    expect((await session.done()).text).toBe('and this');
  });

  test('the same idempotency key counts once; with other words it is refused', async () => {
    const df = await open({ log: await openLog() });
    const session = await df.run(agent({ name: 'lead', system: '' }), 'hello');
    await session.done();
    await session.send('@script [{"say":"one"}]', { idempotencyKey: 'k' });
    await session.send('@script [{"say":"one"}]', { idempotencyKey: 'k' });
    await session.done();
    await session.send('@script [{"say":"one"}]', { idempotencyKey: 'k' });
    await expect(session.send('other', { idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'idempotency_conflict' });
    expect((await session.done()).text).toBe('one');
    const messages = (await collect(df.events(session.id))).filter((event) => event.type === 'user.message');
    expect(messages).toHaveLength(2);
    await session.send('@script [{"say":"two"}]');
    expect((await session.done()).text).toBe('two');
  });

  test('one run for an idempotency key, also when it is asked for twice at once', async () => {
    const df = await open({ log: await openLog() });
    const lead = agent({ name: 'lead', system: '' });
    const options = { idempotencyKey: 'order-7' };
    const [a, b] = await Promise.all([df.run(lead, 'hello', options), df.run(lead, 'hello', options)]);
    expect(a).toBe(b);
    expect((await a.done()).text).toBe((await b.done()).text);
    const c = await df.run(lead, 'hello', options);
    expect((await c.done()).text).toBe('I was asked: hello');
    await expect(df.run(lead, 'something else', options)).rejects.toMatchObject({ code: 'idempotency_conflict', value: 'hello' });
    const types = (await collect(df.events(a.id))).map((event) => event.type);
    expect(types.filter((type) => type === 'session.created' || type === 'span.model_request_start')).toHaveLength(2);
  });

  test('a session that was taken over writes nothing more, even when it has read the claim', async () => {
    const log = await openLog();
    const gate = deferred();
    const wait = tool({ ...spec('wait'), effect: 'pure', run: () => gate.promise });
    const lead = agent({ name: 'lead', system: '', tools: [wait] });
    const old = await open({ log });
    const zombie = await old.run(lead, '@script [{"tool":"wait","input":{}},{"say":"done"}]');
    const next = await open({ log });
    const owner = await next.resume(lead, zombie.id);
    // The zombie reads the new head before it writes.
    await expect(zombie.send('from the zombie')).rejects.toMatchObject({ code: 'fenced' });
    gate.resolve('ready');
    expect((await owner.done()).text).toBe('done');
    await expect(zombie.done()).rejects.toMatchObject({ code: 'fenced' });
    const events = await collect(next.events(owner.id));
    expect(orphans(events)).toEqual([]);
    expect(events.filter((event) => event.type === 'user.message')).toHaveLength(1);
  });

  test('a session that somebody with a newer Dreamfold has written to is not guessed at', async () => {
    const log = await openLog();
    const gate = deferred();
    const wait = tool({ ...spec('wait'), run: () => gate.promise });
    const df = await open({ log });
    const session = await df.run(agent({ name: 'lead', system: '', tools: [wait] }), '@script [{"tool":"wait","input":{}},{"say":"done"}]');
    await vi.waitFor(() => expect(session.state.usage.toolCalls).toBe(1));
    await addNewerEvent(log, streamOf('session', session.id));
    gate.resolve('ready');
    await expect(session.done()).rejects.toMatchObject({ code: 'unsupported_schema_version' });
  });

  test.each(['message', 'approval'])('what another handle of the log writes is heard without being asked for: %s', async (what) => {
    const log = await openLog();
    const df = await open({ log });
    const ask = tool({ ...spec('ask'), policy: 'always_ask', run: () => 'ran' });
    const session = await df.run(agent({ name: 'lead', system: '', tools: [ask] }), '@script [{"tool":"ask","input":{}},{"say":"done"}]');
    const { stopReason } = await session.done();
    const [call] = stopReason.type === 'requires_action' ? stopReason.event_ids : [];
    const other = await open({ log });
    if (what === 'message') await other.send(session.id, 'And what else?');
    await other.confirm(session.id, { toolUseId: call!, result: 'allow' });
    await vi.waitFor(() => expect(session.state.stopReason?.type).toBe('end_turn'));
    const types = (await collect(other.events(session.id))).map((event) => event.type);
    expect(types.filter((type) => type === 'message.taken_up')).toHaveLength(what === 'message' ? 2 : 1);
    expect(session.state).toEqual(await other.session(session.id));
  });

  test('a command through the directory is heard by the session that runs here', async () => {
    const df = await open({ log: await openLog(), models: { slow: scripted(() => new Promise<never>(() => {})) } });
    const session = await df.run(agent({ name: 'lead', system: '', model: 'slow' }), 'hello');
    await df.command(session.id, (state) => interrupt(state));
    await session.done();
    expect(session.state.status).toBe('idle');
    await df.command(session.id, (state) => sendMessage(state, 'queued'));
  });
});

function spec(name: string): { name: string; description: string; input: z.ZodObject } {
  return { name, description: 'For tests.', input: z.object({}) };
}
