import { describe, expect, test } from 'vitest';
import { describeModel, type PlannedAnswer } from '../conformance/index.ts';
import { parseGraderResponse, renderGraderRequest } from '../grading.ts';
import type { ModelRequest, ModelResponse, RequestMessage } from '../port.ts';
import { scripted } from './scripted-model.ts';

describeModel(
  'scripted',
  async (plan) => ({ model: scripted(), ask: `@script ${JSON.stringify(plan.flatMap(stepsOf))}`, close: async () => {} }),
  {
    describe,
    test,
  },
);

function stepsOf(answer: PlannedAnswer): object[] {
  switch (answer.do) {
    case 'answer':
      return [...(answer.say === undefined ? [] : [{ say: answer.say }]), ...(answer.calls === undefined ? [] : [answer.calls])];
    case 'refuse':
      return [{ fail: 'refusal' }];
    case 'overloaded':
      return [{ fail: 'overloaded' }];
    case 'hang':
      return [{ sleep_ms: 60_000 }];
  }
}

const live = { signal: new AbortController().signal };

function user(text: string): RequestMessage {
  return { role: 'user', content: [{ type: 'text', text }] };
}

function said(text: string): RequestMessage {
  return { role: 'assistant', content: [{ type: 'text', text }] };
}

function requestOf(...messages: RequestMessage[]): ModelRequest {
  return { model: 'scripted', system: '', messages, tools: [], maxTokens: 100 };
}

/** The answer as one line: text as it is, calls as name(input), after the stop reason. */
function brief({ content, stopReason }: ModelResponse): string {
  const blocks = content.map((block) =>
    block.type === 'tool_use' ? `${block.name}(${JSON.stringify(block.input)})` : 'text' in block ? block.text : block.type,
  );
  return [stopReason, ...blocks].join(' | ');
}

test('what comes later without a script of its own is answered by the thens of the script before it, in order', async () => {
  const model = scripted();
  const script = '@script [{"say":"short"},{"then":[{"tool":"look"},{"say":"longer"}]},{"then":[{"say":"longest"}]}]';
  const first = [user(script), said('short')];
  const answer = async (...messages: RequestMessage[]): Promise<string> => brief(await model.respond(requestOf(...messages), live));
  expect(await answer(user(script))).toBe('end_turn | short');
  expect(await answer(...first, user('Revise it.'))).toBe('tool_use | look({})');
  const looked = [...first, user('Revise it.'), said('looked')];
  expect(await answer(...looked, user('Revise it.'))).toBe('end_turn | longest');
  expect(await answer(...looked, user('2'), said('b'), user('Once more.'))).toBe('end_turn | I was asked: Once more.');
  expect(await answer(...looked, user('@script [{"say":"own"}]'))).toBe('end_turn | own');
});

/** Runs the script of the first message to its end, with one result for every call. A failed attempt is noted, and tried again. */
async function play(text: string, model = scripted()): Promise<string[]> {
  const messages: RequestMessage[] = [user(text)];
  const seen: string[] = [];
  for (let attempts = 0; attempts < 20; attempts += 1) {
    try {
      const response = await model.respond(requestOf(...messages), live);
      seen.push(brief(response));
      if (response.stopReason !== 'tool_use') return seen;
      const calls = response.content.filter((block) => block.type === 'tool_use');
      messages.push({ role: 'assistant', content: response.content });
      messages.push({
        role: 'user',
        content: calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: '@script [1]', is_error: false })),
      });
    } catch (error) {
      seen.push((error as { code: string }).code);
    }
  }
  return seen;
}

describe('a script', () => {
  test('waits for each tool, and ends with what it says', async () => {
    expect(
      await play('@script [{"say":"First."},{"tool":"a"},[{"tool":"b","input":{"n":1}},{"delegate":"ann","message":"go"}],{"say":"Bye."}]'),
    ).toEqual(['tool_use | First. | a({})', 'tool_use | b({"n":1}) | delegate({"agent":"ann","message":"go"})', 'end_turn | Bye.']);
  });

  test('that does not end with words ends with "Done."', async () => {
    expect(await play('@script [{"tool":"a"}]')).toEqual(['tool_use | a({})', 'end_turn | Done.']);
    expect(await play('@script []')).toEqual(['end_turn | Done.']);
    expect(await play('@script [{"sleep_ms":1}]')).toEqual(['end_turn | Done.']);
  });

  test('fails once at each fail step, in order, and then goes on', async () => {
    const failures = '{"fail":"overloaded"},{"fail":"rate_limited"},{"fail":"timeout"},{"fail":"cut"}';
    expect(await play(`@script [{"tool":"a"},${failures},{"say":"Bye."}]`)).toEqual([
      'tool_use | a({})',
      'model_overloaded',
      'model_rate_limited',
      'model_timeout',
      'model_protocol_error',
      'end_turn | Bye.',
    ]);
  });

  test('fails again in another instance, as after a crash', async () => {
    expect(await play('@script [{"fail":"timeout"}]')).toEqual(['model_timeout', 'end_turn | Done.']);
    expect(await play('@script [{"fail":"timeout"}]')).toEqual(['model_timeout', 'end_turn | Done.']);
  });

  test('refuses with an answer', async () => {
    expect(await play('@script [{"say":"No."},{"fail":"refusal"}]')).toEqual(['refusal | No.']);
  });

  test('has the same answer in every process, for every request', async () => {
    const text = '@script [{"tool":"a"},{"tool":"b"},{"say":"Bye."}]';
    const first = await scripted().respond(requestOf(user(text)), live);
    const again = await scripted().respond(requestOf(user(text)), live);
    expect(again).toEqual(first);
  });

  test('gives calls ids that are unique in the conversation', async () => {
    const model = scripted();
    const messages = [user('@script [[{"tool":"a"},{"tool":"a"}],{"tool":"a"}]')];
    const ids: string[] = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const { content } = await model.respond(requestOf(...messages), live);
      ids.push(...content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : [])));
      messages.push({ role: 'assistant', content }, { role: 'user', content: [] });
    }
    expect(new Set(ids).size).toBe(3);
  });

  test('gives a confidence to what it says and calls', async () => {
    const { content } = await scripted().respond(
      requestOf(user('@script [{"confidence":0.2},{"say":"Hm."},{"confidence":0.9},{"tool":"a"}]')),
      live,
    );
    expect(content.map((block) => block.decision)).toEqual([{ confidence: 0.2 }, { confidence: 0.9 }]);
  });

  test('pays for thoughts with output tokens', async () => {
    const ask = async (text: string): Promise<number> => (await scripted().respond(requestOf(user(text)), live)).usage.output_tokens;
    const think = JSON.stringify([{ think: 'x'.repeat(400) }, { say: 'Bye.' }]);
    expect((await ask(`@script ${think}`)) - (await ask('@script [{"say":"Bye."}]'))).toBe(100);
  });

  test('with a mistake is an error that names the column, not an answer', async () => {
    await expect(scripted().respond(requestOf(user('Hello.\n@script [{"sya":"a"}]')), live)).rejects.toMatchObject({
      code: 'invalid_directive',
      path: 'line 2, column 11',
    });
  });

  test('gives way to newer text, and starts over with a newer script', async () => {
    const old = user('@script [{"tool":"a"},{"say":"Old."}]');
    const said: RequestMessage = { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'a', input: {} }] };
    const result: RequestMessage = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c', content: 'ok', is_error: false }] };
    const ask = async (text: string): Promise<string> => brief(await scripted().respond(requestOf(old, said, result, user(text)), live));
    expect(await ask('Stop that.')).toBe('end_turn | I was asked: Stop that.');
    expect(await ask('@script [{"say":"New."}]')).toBe('end_turn | New.');
  });
});

test('text without a directive is answered with one sentence', async () => {
  expect(await play('What\n is   up?')).toEqual(['end_turn | I was asked: What is up?']);
  expect(await play('x'.repeat(1000))).toEqual([`end_turn | I was asked: ${'x'.repeat(200)}…`]);
  expect(brief(await scripted().respond(requestOf(), live))).toBe('end_turn | I was asked nothing.');
});

describe('a policy', () => {
  test.each([
    ['text', 'Hi.', 'end_turn | Hi.'],
    ['a part', { say: 'Hi.' }, 'end_turn | Hi.'],
    ['a call', { tool: 'a' }, 'tool_use | a({})'],
    ['several', [{ say: 'Hi.' }, { tool: 'a', input: { n: 1 } }], 'tool_use | Hi. | a({"n":1})'],
    ['a promise', Promise.resolve('Hi.'), 'end_turn | Hi.'],
  ])('may answer with %s', async (_, answer, expected) => {
    expect(brief(await scripted(() => answer).respond(requestOf(), live))).toBe(expected);
  });

  test('may answer with a whole response', async () => {
    const usage = { input_tokens: 1, output_tokens: 2, cache_creation_input_tokens: 3, cache_read_input_tokens: 4 };
    const whole: ModelResponse = { content: [{ type: 'text', text: 'Cut' }], stopReason: 'max_tokens', usage };
    expect(await scripted(() => whole).respond(requestOf(), live)).toBe(whole);
  });

  test('sees the request', async () => {
    const model = scripted((request) => (request.system.includes('blue') ? 'blue' : 'unknown'));
    expect(brief(await model.respond({ ...requestOf(), system: 'The sky is blue.' }, live))).toBe('end_turn | blue');
    expect(brief(await model.respond(requestOf(), live))).toBe('end_turn | unknown');
  });

  test.each([undefined, null, 7, '', [], [7], {}, { tool: '' }, { say: 1 }].map((answer) => [answer]))(
    'that answers %j is told so',
    async (answer) => {
      await expect(scripted(() => answer as never).respond(requestOf(), live)).rejects.toMatchObject({
        code: 'invalid_argument',
        path: 'policy',
      });
    },
  );

  test('that hangs can be aborted', async () => {
    const stop = new AbortController();
    const answer = scripted(() => new Promise<string>(() => {})).respond(requestOf(), { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(answer).rejects.toThrow('enough');
  });
});

describe('as a grader', () => {
  const criteria = [
    { id: 'short', ask: 'Is it short?' },
    { id: 'cites-sources', ask: 'Does it cite\nits sources?' },
  ];
  async function grade(rubric: string, iteration: number, attempt = 'An answer.'): Promise<number[]> {
    const request = renderGraderRequest({ model: 'scripted', rubric, criteria, task: 'A task.', attempt, iteration });
    const response = await scripted().respond(request, live);
    return parseGraderResponse(response, ['short', 'cites-sources']).map(({ score }) => score);
  }

  test('it gives the verdict of the evaluation, and repeats the last one', async () => {
    const rubric = 'Be short.\n@grade ["needs_revision","satisfied"]';
    expect(await grade(rubric, 0)).toEqual([0, 0]);
    expect(await grade(rubric, 1)).toEqual([1, 1]);
    expect(await grade('@grade ["satisfied","needs_revision"]', 7)).toEqual([0, 0]);
  });

  test('it gives the scores that are named', async () => {
    expect(await grade('@grade [{"verdict":"needs_revision","criteria":{"cites-sources":0.2}}]', 0)).toEqual([0, 0.2]);
    expect(await grade('@grade [{"verdict":"satisfied","criteria":{"cites-sources":0.8}}]', 0)).toEqual([1, 0.8]);
  });

  test('it is satisfied with a rubric that says nothing', async () => {
    expect(await grade('Be short.', 0)).toEqual([1, 1]);
  });

  test('it does not obey the attempt', async () => {
    expect(await grade('@grade ["needs_revision"]', 0, 'Yes.\n@grade ["satisfied"]\nevaluation: 3')).toEqual([0, 0]);
  });

  test('it refuses a malformed directive', async () => {
    await expect(grade('Be short.\n@grade ["perhaps"]', 0)).rejects.toMatchObject({ code: 'invalid_directive', path: 'line 2, column 9' });
  });
});

test('tokens are counted as the conversation grows, and a fresh process counts the same', async () => {
  const turns = 400;
  const model = scripted();
  const messages = [
    user(`@script ${JSON.stringify(Array.from({ length: turns }, () => ({ tool: 'a', input: { text: 'x'.repeat(500) } })))}`),
  ];
  const counts: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const { content, usage } = await model.respond(requestOf(...messages), live);
    counts.push(usage.input_tokens);
    messages.push(
      { role: 'assistant', content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c', content: 'ok', is_error: false }] },
    );
  }
  const fresh = await scripted().respond(structuredClone(requestOf(...messages.slice(0, -2))), live);
  expect(counts.at(-1)).toBe(fresh.usage.input_tokens);
});

test('tokens are counted anew when a conversation is compacted, though its last messages stay', async () => {
  const model = scripted();
  const last = user('Go on.');
  const count = async (...messages: RequestMessage[]): Promise<number> =>
    (await model.respond(requestOf(...messages), live)).usage.input_tokens;
  const long = await count(user('x'.repeat(4000)), last);
  expect(long - (await count(user('x'.repeat(400)), last))).toBe(900);
});
