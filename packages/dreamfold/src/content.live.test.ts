// Blocks other than text, from what a user gives to what a model is sent, on every log.
import { spawn } from 'node:child_process';
import type { ContentBlock } from '@dreamfold/events';
import { openSqliteLog } from '@dreamfold/log/sqlite';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { agent, blocks, open, rubric, scripted, tool, type ModelRequest, type ModelResponse } from './index.ts';
import { collect } from './testing/history.ts';
import { LOGS, temporaryDirectory } from './testing/log-fixtures.ts';

const PNG = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } as const;
const image: ContentBlock = { type: 'image', source: PNG };
/** Too large for an event. */
const photo: ContentBlock = { type: 'image', source: { ...PNG, data: Buffer.from('photo'.repeat(100_000)).toString('base64') } };
const audio = { type: 'audio', source: { data: 'SUQz'.repeat(100_000) } };
const usage = { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };

const contentOf = (request: ModelRequest | undefined, message: number): unknown => request?.messages[message]?.content;

describe.each(LOGS)('on the log $name', ({ openLog }) => {
  test('what a user gives reaches the model as it was, and its event is small', async () => {
    const df = await open({ log: await openLog() });
    const asked: ModelRequest[] = [];
    const lead = agent({ name: 'lead', system: '', model: scripted((request) => (asked.push(request), 'Seen.')) });
    const given = [{ type: 'text', text: 'Look.' }, image, photo, audio];
    const session = await df.run(lead, given);
    expect((await session.done()).text).toBe('Seen.');
    await session.send([photo]);
    await session.done();
    await df.send(session.id, [image, audio]);
    await (await df.resume(lead, session.id)).done();
    const unknown = { type: 'unknown', block_type: 'audio', block: audio };
    expect(contentOf(asked[0], 0)).toEqual([{ type: 'text', text: 'Look.' }, image, photo, unknown]);
    expect(
      asked
        .at(-1)!
        .messages.flatMap(({ content }) => content)
        .filter(({ type }) => type === 'image'),
    ).toEqual([image, photo, photo, image]);
    const events = await collect(df.events(session.id));
    for (const event of events) expect(JSON.stringify(event).length).toBeLessThan(4000);
    expect(session.state.threads[0]!.task).toBe('Look.');
    await df.close();
  });

  test('what a tool gives reaches the model, and blocks that are wrong are an error of the tool', async () => {
    const df = await open({ log: await openLog() });
    const asked: ModelRequest[] = [];
    const model = scripted((request) => {
      asked.push(request);
      return request.messages.length === 1
        ? [
            { tool: 'look', input: { at: 'good' } },
            { tool: 'look', input: { at: 'bad' } },
          ]
        : 'Done.';
    });
    const look = tool({
      name: 'look',
      description: '',
      input: z.object({ at: z.string() }),
      run: ({ at }) => blocks(at === 'good' ? [{ type: 'text', text: 'Two of them.' }, photo] : [{ type: 'tool_result' }]),
    });
    const session = await df.run(agent({ name: 'lead', system: '', model, tools: [look] }), 'Begin.');
    await session.done();
    expect(contentOf(asked[1], 2)).toMatchObject([
      { content: 'Two of them.', blocks: [{ type: 'text', text: 'Two of them.' }, photo], is_error: false },
      { content: expect.stringContaining('nobody can give') as string, is_error: true },
    ]);
    await df.close();
  });

  test('what a model thought and cited goes back to it unchanged, in a loop of tools', async () => {
    const df = await open({ log: await openLog() });
    const asked: ModelRequest[] = [];
    const thought = { type: 'thinking', thinking: 'I look.', signature: 'EqQB==' } as const;
    const hidden = { type: 'redacted_thinking', data: 'EmwK' } as const;
    const cited: ContentBlock = { type: 'text', text: 'Two.', citations: [{ type: 'page_location', start_page_number: 1 }] };
    const first: ModelResponse = {
      content: [thought, hidden, { type: 'tool_use', id: 't', name: 'look', input: {} }],
      stopReason: 'tool_use',
      usage,
    };
    const second: ModelResponse = { content: [{ type: 'text', text: 'There are ' }, cited], stopReason: 'end_turn', usage };
    const model = scripted((request) => {
      asked.push(request);
      const turn = request.messages.filter(({ role }) => role === 'assistant').length;
      return turn === 0 ? first : second;
    });
    const look = tool({ name: 'look', description: '', input: z.object({}), run: () => 'two' });
    const session = await df.run(agent({ name: 'lead', system: '', model, tools: [look] }), 'How many?');
    expect((await session.done()).text).toBe('There are Two.');
    await session.send('Sure?');
    await session.done();
    expect(contentOf(asked[1], 1)).toMatchObject([thought, hidden, { type: 'tool_use', name: 'look' }]);
    expect(contentOf(asked[2], 3)).toEqual([{ type: 'text', text: 'There are ' }, cited]);
    expect(await df.verifyRequests(session.id)).toEqual({ requests: 3, differing: [] });
    // Another model goes on without the thoughts.
    const plain: ModelRequest[] = [];
    const other = { ...scripted((request) => (plain.push(request), 'Yes.')), takes: ['text' as const] };
    const resumed = await df.resume(agent({ name: 'lead', system: '', model: other, tools: [look] }), session.id);
    await resumed.send('Really?');
    await resumed.done();
    expect(contentOf(plain[0], 1)).toMatchObject([{ type: 'tool_use' }]);
    await df.close();
  });
});

describe('a model that does not take a block is told before it is asked', () => {
  const lead = agent({ name: 'lead', system: '', model: { ...scripted(() => 'Read.'), takes: ['text', 'document'] } });
  const refused = { code: 'content_unsupported', path: 'task/1', value: 'image', remedy: expect.stringMatching(/takes/) as string };

  test('where a session begins, and nothing is written', async () => {
    const df = await open();
    const task = [{ type: 'text', text: 'Look.' }, photo];
    await expect(df.run(lead, task)).rejects.toMatchObject(refused);
    await expect(df.submit(lead, task)).rejects.toMatchObject(refused);
    for await (const id of df.sessions()) expect.unreachable(id);
    const session = await df.run(lead, 'Begin.');
    await session.done();
    const before = session.state.seq;
    await expect(session.send([image])).rejects.toMatchObject({ ...refused, path: 'message/0' });
    expect(session.state.seq).toBe(before);
    await expect(df.run(lead, task, { rubric: rubric({ criteria: [{ id: 'good', ask: '?', check: () => true }] }) })).rejects.toMatchObject(
      {
        code: 'invalid_argument',
        path: 'task',
      },
    );
    await df.close();
  });

  test('where a tool brings it in: the thread says why it stops', async () => {
    const df = await open();
    let requests = 0;
    const model = {
      ...scripted(() => ((requests += 1), { tool: 'look' })),
      takes: ['text' as const],
    };
    const look = tool({ name: 'look', description: '', input: z.object({}), run: () => blocks([image]) });
    const session = await df.run(agent({ name: 'lead', system: '', model, tools: [look] }), 'Begin.');
    const { error, stopReason } = await session.done();
    expect([requests, stopReason.type]).toEqual([1, 'retries_exhausted']);
    expect(error).toMatch(/agent lead has a model that does not take a block of type image/);
    await df.close();
  });
});

test('a task in blocks of text is the same task when its key comes again', async () => {
  const df = await open();
  const lead = agent({ name: 'lead', system: '', model: scripted(() => 'Seen.') });
  const task = [
    { type: 'text', text: 'Look.' },
    { type: 'text', text: 'Twice.' },
  ];
  const { id } = await df.run(lead, task, { idempotencyKey: 'k' });
  expect((await df.run(lead, task, { idempotencyKey: 'k' })).id).toBe(id);
  expect(await df.submit(lead, task, { idempotencyKey: 'k' })).toBe(id);
  await expect(df.run(lead, task.slice(1), { idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'idempotency_conflict' });
  await df.close();
});

test('a process that is killed while its model looks at a blob goes on in another one, with the same request', async () => {
  const directory = temporaryDirectory();
  const script = `
    import { agent, open, scripted } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)};
    const df = await open({ directory: ${JSON.stringify(directory)} });
    const model = scripted(({ messages }) => {
      console.log(messages[0].content[0].source.data.length);
      return new Promise(() => {});
    });
    const session = await df.run(agent({ name: 'lead', system: '', model }), [${JSON.stringify(photo)}], { idempotencyKey: 'k' });
    console.log(session.id);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(script);
  let said = '';
  for await (const piece of child.stdout) {
    said += String(piece);
    if (said.includes('sesn_') && /^\d+$/m.test(said)) child.kill('SIGKILL');
  }
  const df = await open({ log: await openSqliteLog({ directory }) });
  const asked: ModelRequest[] = [];
  const lead = agent({ name: 'lead', system: '', model: scripted((request) => (asked.push(request), 'Seen.')) });
  const session = await df.resume(lead, /sesn_\w+/.exec(said)![0]);
  expect((await session.done()).text).toBe('Seen.');
  expect(contentOf(asked[0], 0)).toEqual([photo]);
  await df.close();
}, 60_000);
