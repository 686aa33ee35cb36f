// A team through the front door: threads in parallel and nested, listeners, decisions, people, memory, restarts.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { agent, open, rubric, scripted, textOf, tool, type AgentDefinition, type LogEvent, type ModelRequest } from './index.ts';
import { brokenHistory, collect, orphans } from './testing/history.ts';
import { LOGS, temporaryDirectory } from './testing/log-fixtures.ts';

const ask = (name: string, message = 'Help.'): { tool: string; input: unknown } => ({ tool: 'delegate', input: { agent: name, message } });
const turnOf = (request: ModelRequest): number => request.messages.filter((message) => message.role === 'assistant').length;
const shown = (request: ModelRequest): string => JSON.stringify(request.messages[0]);

describe.each(LOGS)('a team on the log $name', ({ openLog }) => {
  test('runs its specialists at the same time', async () => {
    const df = await open({ log: await openLog() });
    let together = 0;
    let most = 0;
    const slow = scripted(async () => {
      together += 1;
      most = Math.max(most, together);
      await sleep(20);
      together -= 1;
      return 'Done.';
    });
    const names = ['a', 'b', 'c', 'd'];
    const team = names.map((name) => agent({ name, system: name, model: slow }));
    const model = scripted((request) => (turnOf(request) === 0 ? names.map((name) => ask(name)) : 'All done.'));
    const session = await df.run(agent({ name: 'lead', system: '', model, team }), 'Begin.');
    expect((await session.done()).text).toBe('All done.');
    expect(most).toBe(4);
  });

  test('nests to its depth, and one listener hears all of it, from the first event, in order', async () => {
    const df = await open({ log: await openLog() });
    let team: AgentDefinition | undefined;
    for (const name of ['third', 'second', 'first']) {
      const below = team;
      const model = scripted((request) => (below !== undefined && turnOf(request) === 0 ? ask(below.name) : `${name} is done.`));
      team = agent({ name, system: '', model, team: below === undefined ? [] : [below] });
    }
    const lead = agent({
      name: 'lead',
      system: '',
      model: scripted((request) => (turnOf(request) === 0 ? ask('first') : 'Done.')),
      team: [team!],
    });
    const session = await df.run(lead, 'Begin.');
    const heard: LogEvent[] = [];
    const said: string[] = [];
    const stop = session.on('event', (event) => heard.push(event));
    session.on('agent.message', ({ data }) => said.push(textOf(data.content)));
    await session.done();
    expect(said).toEqual(['third is done.', 'second is done.', 'first is done.', 'Done.']);
    expect(heard).toEqual(await collect(df.events(session.id)));
    expect(session.state.threads.map(({ agent: name, depth }) => [name, depth])).toEqual([
      ['lead', 0],
      ['first', 1],
      ['second', 2],
      ['third', 3],
    ]);
    stop();
    await session.send('More.');
    await session.done();
    expect(heard.at(-1)!.seq).toBeLessThan(session.state.seq);
  });

  test('records the confidence and reason of a call, which the tool never sees', async () => {
    const df = await open({ log: await openLog() });
    let seen: unknown;
    const route = tool({
      name: 'route',
      description: 'Routes.',
      input: z.strictObject({ to: z.string() }),
      run: (input) => void (seen = input),
    });
    let offered: unknown;
    const model = scripted((request) => {
      offered = request.tools[0]!.input_schema['properties'];
      return turnOf(request) === 0
        ? { tool: 'route', input: { to: 'billing', decision: { confidence: 0.4, reason: 'It says invoice.' } } }
        : 'Done.';
    });
    const session = await df.run(agent({ name: 'lead', system: '', model, tools: [route] }), 'Begin.');
    await session.done();
    expect(offered).toMatchObject({ to: {}, decision: { properties: { confidence: {}, reason: {} } } });
    expect(seen).toEqual({ to: 'billing' });
    const events = await collect(df.events(session.id));
    const call = events.find((event) => event.type === 'agent.tool_use')!;
    expect(call.data).toMatchObject({ input: { to: 'billing' } });
    expect(events.find((event) => event.type === 'decision.recorded')!.data).toEqual({
      event_id: call.id,
      confidence: 0.4,
      reason: 'It says invoice.',
    });
  });

  test('sees memory as it was when the session began', async () => {
    const df = await open({ log: await openLog() });
    await df.memory.create({ name: 'desk', description: 'What the desk knows.', approval: 'manual' }, 'person:ann');
    const write = (content: string): Promise<unknown> =>
      df.memory.writeNote('desk', { path: '/hours.md', content, reason: 'It is so.', by: 'person:ann' });
    await write('Open until five.');
    const requests: string[] = [];
    const model = scripted((request) => {
      requests.push(shown(request));
      return 'Done.';
    });
    const lead = agent({ name: 'lead', system: '', model });
    const session = await df.run(lead, 'Begin.', { memory: ['desk'] });
    await session.done();
    await write('Open until six.');
    await session.send('Again.');
    await session.done();
    const next = await df.run(lead, 'Begin.', { memory: ['desk'] });
    await next.done();
    expect(requests.map((request) => ['five', 'six'].filter((hour) => request.includes(`until ${hour}`)))).toEqual([
      ['five'],
      ['five'],
      ['six'],
    ]);
    await expect(df.run(lead, 'Begin.', { memory: ['no such store'] })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('waits for a person’s score, and sends the attempt back with it', async () => {
    const df = await open({ log: await openLog() });
    const model = scripted((request) => `attempt ${turnOf(request)}`);
    const session = await df.run(agent({ name: 'lead', system: '', model }), 'Write.', {
      rubric: rubric({ criteria: [{ id: 'taste', ask: 'Is it good?', person: true }] }),
    });
    expect((await session.done()).stopReason.type).toBe('requires_action');
    await session.judge({ criterion: 'taste', score: 0.2, reason: 'Bland.', by: 'ann' });
    expect((await session.done()).stopReason.type).toBe('requires_action');
    await expect(session.judge({ criterion: 'taste', score: 1, reason: '', by: 'ann' })).rejects.toMatchObject({ code: 'invalid_event' });
    await session.judge({ criterion: 'taste', score: 1, reason: 'Lovely.', by: 'ann' });
    const { outcome, text } = await session.done();
    expect(outcome).toMatchObject({ result: 'satisfied', score: 1 });
    expect(text).toBe('attempt 1');
  });

  test('is not hurt by a listener that throws', async () => {
    const df = await open({ log: await openLog() });
    const session = await df.run(agent({ name: 'lead', system: '' }), 'Begin.');
    const thrown: unknown[] = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => thrown.push(error));
    try {
      session.on('agent.message', () => {
        throw new Error('a listener broke');
      });
      expect((await session.done()).text).toBe('I was asked: Begin.');
      await session.send('More.');
      expect((await session.done()).text).toBe('I was asked: More.');
      await sleep(1);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of others) process.on('uncaughtException', listener);
    }
    expect(thrown).toHaveLength(2);
  });

  test('reports what a session used', async () => {
    const df = await open({ log: await openLog() });
    const model = { ...scripted(), price: { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 } };
    const session = await df.run(agent({ name: 'lead', system: '', model }), 'Begin.');
    const { usage } = await session.done();
    expect(usage).toMatchObject({ modelCalls: 1, toolCalls: 0 });
    expect(usage.costUsd).toBeCloseTo((usage.input_tokens + 2 * usage.output_tokens) / 1e6, 12);
  });
});

describe('a session whose process is gone', () => {
  const ran: string[] = [];
  const lead = (policy: 'always_allow' | 'always_ask' | 'deny', { model = 'scripted' } = {}): AgentDefinition => {
    const pay = tool({
      name: 'pay',
      description: 'Pays.',
      input: z.object({ sum: z.number() }),
      policy,
      run: ({ sum }) => void ran.push(`paid ${sum}`),
    });
    const clerk = agent({ name: 'clerk', system: '', model, tools: [pay] });
    return agent({ name: 'lead', system: '', team: [clerk] });
  };
  const script = '@script [{"tool":"pay","input":{"sum":5}},{"say":"paid"}]';
  const task = `@script [{"delegate":"clerk","message":${JSON.stringify(script)}},{"say":"done"}]`;

  async function begun(): Promise<{ directory: string; id: string; call: string }> {
    ran.length = 0;
    const directory = temporaryDirectory();
    const df = await open({ directory });
    const session = await df.run(lead('always_ask'), task);
    const { stopReason } = await session.done();
    await df.close();
    return { directory, id: session.id, call: stopReason.type === 'requires_action' ? stopReason.event_ids[0]! : '' };
  }

  test('waits at any depth for an approval that another process gives, and goes on in a third', async () => {
    const { directory, id, call } = await begun();
    const program = `
      import { open } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
      const df = await open({ directory: ${JSON.stringify(directory)} });
      await df.confirm(${JSON.stringify(id)}, { toolUseId: ${JSON.stringify(call)}, result: 'allow', by: 'ann' });
      await df.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'inherit', 'inherit'] });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    expect(ran).toEqual([]);
    const df = await open({ directory });
    const session = await df.resume(lead('always_ask'), id);
    expect((await session.done()).text).toBe('done');
    expect(ran).toEqual(['paid 5']);
    await expect(df.confirm(id, { toolUseId: call, result: 'allow' })).rejects.toMatchObject({ code: 'approval_already_used' });
    const events = await collect(df.events(id));
    expect(orphans(events)).toEqual([]);
    expect(brokenHistory(session.state)).toEqual([]);
    await df.close();
  });

  test('does not use an approval that was given for another policy', async () => {
    const { directory, id, call } = await begun();
    const df = await open({ directory });
    const before = (await df.session(id)).threads[1]!.calls[0]!.callHash!;
    await df.confirm(id, { toolUseId: call, result: 'allow' });
    const session = await df.resume(lead('always_allow'), id);
    expect((await session.done()).stopReason).toEqual({ type: 'requires_action', event_ids: [call] });
    expect(ran).toEqual([]);
    await expect(session.approve(call, { callHash: before })).rejects.toMatchObject({ code: 'approval_stale' });
    await session.approve(call);
    expect((await session.done()).text).toBe('done');
    expect(ran).toEqual(['paid 5']);
    await df.close();
  });

  test('never runs a tool that is forbidden now, approved or not', async () => {
    const { directory, id, call } = await begun();
    const df = await open({ directory });
    await df.confirm(id, { toolUseId: call, result: 'allow' });
    const session = await df.resume(lead('deny'), id);
    await session.done();
    expect(ran).toEqual([]);
    expect(JSON.stringify(session.state.threads[1]!.messages.toArray())).toContain('is deny');
    await df.close();
  });

  test('that has ended, is resumed without a word more from a model', async () => {
    const directory = temporaryDirectory();
    const df = await open({ directory });
    const first = await df.run(agent({ name: 'lead', system: '' }), 'Begin.');
    await first.done();
    await df.close();
    const again = await open({ directory });
    const model = scripted(() => {
      throw new Error('asked again');
    });
    const session = await again.resume(agent({ name: 'lead', system: '', model }), first.id);
    expect((await session.done()).text).toBe('I was asked: Begin.');
    await expect(again.resume(agent({ name: 'lead', system: '' }), 'sesn_none')).rejects.toMatchObject({ code: 'not_found' });
    await again.close();
  });

  test('one that is closed says so, and goes on later', async () => {
    const directory = temporaryDirectory();
    const df = await open({ directory });
    const slow = scripted(() => new Promise<never>(() => {}));
    const session = await df.run(agent({ name: 'lead', system: '', model: slow }), 'Begin.');
    const done = session.done();
    await Promise.all([expect(done).rejects.toThrow('closed'), df.close()]);
    const again = await open({ directory });
    const resumed = await again.resume(agent({ name: 'lead', system: '' }), session.id);
    expect((await resumed.done()).text).toBe('I was asked: Begin.');
    const failed = (await collect(again.events(session.id))).filter((event) => event.type === 'model.attempt_failed');
    expect(failed.map(({ data }) => (data as { code: string }).code)).toEqual(['process_restarted']);
    await again.close();
    await expect(again.run(agent({ name: 'lead', system: '' }), 'Begin.')).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});
