import assert from 'node:assert/strict';
import { BLOCK_KINDS, type BlockKind, type ContentBlock } from '@dreamfold/events';
import { isRetryable } from '../error-retry.ts';
import type { Model, ModelCall, ModelRequest, ModelResponse, RequestBlock } from '../port.ts';

/** What the model under test is to do at one request. */
export type PlannedAnswer =
  | { do: 'answer'; say?: string; calls?: readonly { tool: string; input: Record<string, unknown> }[] }
  | { do: 'refuse' }
  /** One attempt fails as overloaded; the next one gets the plan's next answer. */
  | { do: 'overloaded' }
  /** Answers after a minute, so that only an abort ends it. */
  | { do: 'hang' };

export interface OpenedModel {
  model: Model;
  /** The user's text that makes it follow the plan; anything, for a model that follows it by itself. */
  ask: string;
  close(): Promise<void>;
}

/** A test runner: those of vitest and of node:test fit. */
export interface Runner {
  describe(name: string, body: () => void): unknown;
  test(name: string, body: () => Promise<void>): unknown;
}

/**
 * What every model owes its port, as tests.
 * @param open gives a model that answers the requests of one conversation by the plan, in order
 */
export function describeModel(name: string, open: (plan: readonly PlannedAnswer[]) => Promise<OpenedModel>, runner: Runner): void {
  runner.describe(`${name} is a model`, () => {
    for (const [title, { plan, check }] of Object.entries(CASES)) {
      runner.test(title, async () => {
        const opened = await open(plan);
        try {
          await check(opened);
        } finally {
          await opened.close();
        }
      });
    }
  });
}

interface Case {
  plan: readonly PlannedAnswer[];
  check: (this: void, opened: OpenedModel) => Promise<void>;
}

const ADD = { tool: 'add', input: { a: 1, b: 2, note: 'päivää "x"\n' } };
const ODD_KEYS = JSON.parse('{"constructor":"c","__proto__":{"prototype":[1]},"":0}') as Record<string, unknown>;
const SAY: PlannedAnswer = { do: 'answer', say: 'Hello, world.' };
const CALL: PlannedAnswer = { do: 'answer', say: 'I add them up.', calls: [ADD] };

/** What a user or a tool may give, one of each kind. */
const GIVEN: readonly (readonly [BlockKind, ContentBlock])[] = [
  ['image', { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } }],
  ['document', { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'A page.' }, title: 'A' }],
  ['search_result', { type: 'search_result', title: 'A', source: 'https://x.test', content: [{ type: 'text', text: 'A page.' }] }],
  ['unknown', { type: 'unknown', block_type: 'audio', block: { type: 'audio', data: 'SUQz' } }],
];

const CASES: Readonly<Record<string, Case>> = {
  'answers, and gives the same text as it arrives': {
    plan: [SAY],
    async check({ model, ask }) {
      const deltas: string[] = [];
      const response = await model.respond(request(ask), { ...call(), onDelta: (text) => deltas.push(text) });
      assert.equal(response.stopReason, 'end_turn');
      assert.deepEqual(textsOf(response), ['Hello, world.']);
      assert.equal(deltas.join(''), 'Hello, world.');
    },
  },
  'answers without a listener': {
    plan: [SAY],
    async check({ model, ask }) {
      assert.deepEqual(textsOf(await model.respond(request(ask), call())), ['Hello, world.']);
    },
  },
  'calls a tool beside its text, with the input unharmed': {
    plan: [CALL],
    async check({ model, ask }) {
      const response = await model.respond(request(ask), call());
      assert.equal(response.stopReason, 'tool_use');
      assert.deepEqual(textsOf(response), ['I add them up.']);
      assert.deepEqual(callsOf(response), [ADD]);
    },
  },
  'takes every key of an input for a key': {
    plan: [{ do: 'answer', calls: [{ tool: 'add', input: ODD_KEYS }] }, SAY],
    async check({ model, ask }) {
      const first = await model.respond(request(ask), call());
      assert.equal(JSON.stringify(callsOf(first)), JSON.stringify([{ tool: 'add', input: ODD_KEYS }]));
      assert.equal((await model.respond(continued(request(ask), first), call())).stopReason, 'end_turn');
    },
  },
  'makes several calls in one turn, each with an id of its own': {
    plan: [{ do: 'answer', calls: [ADD, ADD, { tool: 'add', input: {} }] }],
    async check({ model, ask }) {
      const response = await model.respond(request(ask), call());
      assert.deepEqual(callsOf(response), [ADD, ADD, { tool: 'add', input: {} }]);
      const ids = response.content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
      assert.equal(new Set(ids).size, 3);
      for (const id of ids) assert.match(id, /^[a-zA-Z0-9_-]+$/);
    },
  },
  'goes on from the results of its calls, under ids that are not its own': {
    plan: [CALL, SAY],
    async check({ model, ask }) {
      const first = await model.respond(request(ask), call());
      const second = await model.respond(continued(request(ask), first), call());
      assert.equal(second.stopReason, 'end_turn');
      assert.deepEqual(textsOf(second), ['Hello, world.']);
    },
  },
  'says what it takes, and takes it': {
    plan: [SAY],
    async check({ model, ask }) {
      const { takes = ['text'] } = model;
      assert.ok(takes.includes('text') && takes.every((kind) => BLOCK_KINDS.includes(kind)), `${takes.join()} are no kinds of blocks`);
      const shown = GIVEN.filter(([kind]) => takes.includes(kind)).map(([, block]) => block);
      const [asked] = request(ask).messages;
      const messages: ModelRequest['messages'] = [{ role: 'user', content: [...shown, ...asked!.content] }];
      assert.deepEqual(textsOf(await model.respond({ ...request(ask), messages }, call())), ['Hello, world.']);
    },
  },
  'counts tokens': {
    plan: [SAY],
    async check({ model, ask }) {
      const { usage } = await model.respond(request(ask), call());
      for (const count of Object.values(usage)) assert.ok(Number.isInteger(count) && count >= 0, `${count} is not a count`);
      assert.ok(usage.input_tokens > 0 && usage.output_tokens > 0);
    },
  },
  'leaves the request as it is': {
    plan: [SAY],
    async check({ model, ask }) {
      await model.respond(deepFreeze(request(ask)), call());
    },
  },
  'refuses with an answer': {
    plan: [{ do: 'refuse' }],
    async check({ model, ask }) {
      const response = await model.respond(request(ask), call());
      assert.equal(response.stopReason, 'refusal');
      assert.ok(response.refusal !== undefined && 'category' in response.refusal && 'explanation' in response.refusal);
    },
  },
  'rejects a failed attempt as retryable, and answers the next one': {
    plan: [{ do: 'overloaded' }, SAY],
    async check({ model, ask }) {
      await assert.rejects(model.respond(request(ask), call()), (error) => isRetryable(error) && codeOf(error) === 'model_overloaded');
      assert.deepEqual(textsOf(await model.respond(request(ask), call())), ['Hello, world.']);
    },
  },
  "does not begin when aborted, and rejects with the signal's reason": {
    plan: [SAY],
    async check({ model, ask }) {
      const reason = new Error('the session was interrupted');
      await assert.rejects(model.respond(request(ask), { signal: AbortSignal.abort(reason) }), reason);
    },
  },
  "stops when aborted midway, and rejects with the signal's reason": {
    plan: [{ do: 'hang' }],
    async check({ model, ask }) {
      const reason = new Error('the session was interrupted');
      const stop = new AbortController();
      setTimeout(() => stop.abort(reason), 50);
      const started = performance.now();
      await assert.rejects(model.respond(request(ask), { signal: stop.signal }), reason);
      assert.ok(performance.now() - started < 10_000, 'the abort was not obeyed');
    },
  },
};

function request(ask: string): ModelRequest {
  const number = { type: 'number' };
  return {
    model: 'scripted',
    system: 'You add numbers.',
    messages: [{ role: 'user', content: [{ type: 'text', text: ask }] }],
    tools: [{ name: 'add', description: 'Adds two numbers.', input_schema: { type: 'object', properties: { a: number, b: number } } }],
    maxTokens: 1000,
  };
}

/** The next request, as the runtime renders it: its own event ids name the calls. */
function continued(before: ModelRequest, response: ModelResponse): ModelRequest {
  const id = (i: number): string => (i === 0 ? 'sevt_4k2AbC' : `sevt_4k2AbC-${i}`);
  const said = response.content.map((block, i): RequestBlock => {
    if (block.type === 'tool_use') return { type: 'tool_use', id: id(i), name: block.name, input: block.input };
    const { decision: _, ...said } = block;
    return said;
  });
  const results = said.flatMap((block): RequestBlock[] =>
    block.type === 'tool_use' ? [{ type: 'tool_result', tool_use_id: block.id, content: '3', is_error: false }] : [],
  );
  return { ...before, messages: [...before.messages, { role: 'assistant', content: said }, { role: 'user', content: results }] };
}

function call(): ModelCall {
  return { signal: new AbortController().signal };
}

function textsOf(response: ModelResponse): string[] {
  return response.content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
}

function callsOf(response: ModelResponse): { tool: string; input: unknown }[] {
  return response.content.flatMap((block) => (block.type === 'tool_use' ? [{ tool: block.name, input: block.input }] : []));
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const child of Object.values(Object.freeze(value))) deepFreeze(child);
  return value;
}
