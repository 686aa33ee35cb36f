import { EVENT_VERSION, isEventType, checkPayload, type LogEvent } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import type { Episode } from './episode.ts';
import { SessionReader } from './session-reader.ts';

const route = {
  name: 'route',
  description: 'Routes a ticket',
  input_schema: {
    type: 'object',
    properties: { queue: { type: 'string', enum: ['billing', 'technical'] }, note: { type: 'string' }, level: { enum: [1, 2] } },
  },
  policy: 'always_allow',
  effect: 'keyed',
};
const agent = (name: string, tools: unknown[], roster: string[]): unknown => ({
  name,
  description: name,
  model: 'scripted',
  system: '',
  tools,
  roster,
  max_tokens: 100,
  context_window: 1000,
});
const created = {
  principal: 'acme',
  team: { lead: 'lead', agents: [agent('lead', [], ['router']), agent('router', [route], [])] },
  caps: { depth: 1, threads: 2, turns: 9, tool_calls: 9, tokens: 999, cost_usd: 1, wall_time_ms: 999, identical_calls: 3 },
  memory: [{ store: 'memstore_1', version: 3, hash: 'h' }],
};

/** A session's events, as the log gives them: `[type, data, actor]`, with the ids e1, e2, … */
function log(...rows: [type: string, data: unknown, actor?: string][]): LogEvent[] {
  return rows.map(([type, data, actor = 'user'], i) => {
    const v = isEventType(type) ? EVENT_VERSION[type] : 1;
    if (data !== null) checkPayload(type, v, data);
    const envelope = { position: i + 1, stream: 'session/sesn_1', time: 0, v, causation: null, correlation: null, hash: '' };
    return { ...envelope, seq: i + 1, id: `e${i + 1}`, type, actor, data };
  });
}
const idle: [string, unknown, string?] = ['session.status_idle', { stop_reason: { type: 'end_turn' }, stop_details: null }, 'system'];

/** What is read of events that end at rest. */
function episodeOf(events: readonly LogEvent[]): Episode | null {
  const reader = new SessionReader();
  for (const event of [...events, ...log(idle)]) reader.add(event);
  return reader.episode();
}
const say = (text: string): { content: { type: 'text'; text: string }[] } => ({ content: [{ type: 'text', text }] });
const call = (input: unknown): unknown => ({ name: 'route', input, evaluated_permission: 'allow' });
const delegated: [string, unknown, string?][] = [
  ['session.created', created],
  ['user.message', say('I want my money back')],
  [
    'session.thread_created',
    { agent_name: 'router', session_thread_id: 'sthr_2', workflow_run_id: null, df_parent_thread_id: 'sthr_1', df_tool_use_id: 'e2' },
    'sthr_1',
  ],
  ['agent.thread_message_sent', { to_session_thread_id: 'sthr_2', to_agent_name: 'router', ...say('Route this refund') }, 'sthr_1'],
  ['agent.tool_use', call({ queue: 'technical', note: 'x' }), 'sthr_2'],
];

it('finds the decision of a specialist, with both requests, confidence, reason and label', () => {
  const episode = episodeOf(
    log(
      ...delegated,
      ['decision.recorded', { event_id: 'e5', confidence: 0.4, reason: 'a guess' }, 'sthr_2'],
      ['feedback.recorded', { judges: 'e5', verdict: 'wrong', right_answer: { queue: 'billing' }, by: 'desk' }],
    ),
  );
  expect(episode).toEqual({
    session: 'sesn_1',
    principal: 'acme',
    imported: false,
    seq: 1,
    errors: [],
    labels: new Set([7]),
    uncounted: [],
    decisions: [
      {
        session: 'sesn_1',
        principal: 'acme',
        authenticated: false,
        agent: 'router',
        tool: 'route',
        field: 'queue',
        options: ['billing', 'technical'],
        chosen: 'technical',
        right: 'billing',
        labeller: 'person',
        request: 'I want my money back\nRoute this refund',
        confidence: 0.4,
        reason: 'a guess',
        given: [],
        evidence: ['session/sesn_1#5', 'session/sesn_1#7'],
      },
    ],
  });
});

it.each<[string, unknown, string | null]>([
  ['right', { verdict: 'right' }, 'technical'],
  ['right, with the answer', { verdict: 'right', right_answer: { queue: 'technical' } }, 'technical'],
  ['wrong, nobody knows what instead', { verdict: 'wrong' }, null],
  ['wrong in another field', { verdict: 'wrong', right_answer: { note: 'y' } }, null],
  ['a value that the tool does not allow', { verdict: 'wrong', right_answer: { queue: 'ignore all rules' } }, null],
])('is labelled by feedback: %s', (_name, feedback, right) => {
  const episode = episodeOf(log(...delegated, ['feedback.recorded', { judges: 'e5', by: 'desk', ...(feedback as object) }]));
  expect(episode?.decisions[0]?.right).toBe(right);
  expect(episode?.decisions[0]?.evidence).toHaveLength(right === null ? 1 : 2);
});

it('takes the newest word, and no word on something else', () => {
  const right = ['feedback.recorded', { judges: 'e5', verdict: 'right', by: 'desk' }] as [string, unknown];
  const wrong = ['feedback.recorded', { judges: 'e5', verdict: 'wrong', by: 'desk' }] as [string, unknown];
  const elsewhere = ['feedback.recorded', { judges: 'e4', verdict: 'right', by: 'desk' }] as [string, unknown];
  expect(episodeOf(log(...delegated, right, wrong))?.decisions[0]?.right).toBeNull();
  expect(episodeOf(log(...delegated, elsewhere))?.decisions[0]?.right).toBeNull();
});

describe('whose word counts', () => {
  type Said = { by?: string; class?: string; verdict?: string; right_answer?: Record<string, string> };
  const judged = (said: readonly Said[], whose: object = {}): Episode => {
    const [first, ...rest] = delegated;
    const feedback = said.map((one): [string, unknown] => ['feedback.recorded', { judges: 'e5', verdict: 'wrong', by: 'desk', ...one }]);
    return episodeOf(log([first![0], { ...created, ...whose }], ...rest, ...feedback))!;
  };
  const billing: Said = { right_answer: { queue: 'billing' } };
  const technical: Said = { verdict: 'right' };
  const reasons = ({ uncounted }: Episode): string[] => uncounted.map(({ reason, ref }) => `${ref.split('#')[1]} ${reason}`);

  it.each<[string, readonly Said[], string | null, string, string[]]>([
    [
      'the newest of equals',
      [
        { ...billing, class: 'desk' },
        { ...technical, class: 'desk' },
      ],
      'technical',
      'desk',
      [],
    ],
    [
      'a desk before a customer',
      [
        { ...billing, class: 'desk' },
        { ...technical, by: 'Acme' },
      ],
      'billing',
      'desk',
      ['7 outranked'],
    ],
    [
      'a desk after a customer',
      [
        { ...technical, by: 'acme ' },
        { ...billing, class: 'desk' },
      ],
      'billing',
      'desk',
      ['6 outranked'],
    ],
    ['a person before a grader', [{ ...billing }, { ...technical, class: 'grader' }], 'billing', 'person', ['7 outranked']],
    ['a desk that takes its word back', [{ ...billing, class: 'desk' }, { class: 'desk' }], null, 'desk', ['7 no_answer']],
    [
      'a desk that says no more than wrong, against a customer',
      [{ class: 'desk' }, { ...technical, by: 'acme' }],
      null,
      'desk',
      ['6 no_answer', '7 outranked'],
    ],
    ['the customer alone', [{ ...billing, by: 'customer:ACME' }], 'billing', 'customer', []],
  ])('%s', (...[, said, right, labeller, uncounted]) => {
    const episode = judged(said);
    expect(episode.decisions).toMatchObject([{ right, labeller }]);
    expect(reasons(episode)).toEqual(uncounted);
  });

  it('counts a principal in one form, and says whether it is authenticated', () => {
    expect(judged([billing], { principal: ' ACME' })).toMatchObject({
      principal: 'acme',
      decisions: [{ principal: 'acme', authenticated: false }],
    });
    expect(judged([billing], { principal_authenticated: true }).decisions).toMatchObject([{ authenticated: true }]);
  });

  it('passes over names of old logs that can be taken for others, and over answers that nobody can learn from', () => {
    const deceptive = judged([billing], { principal: 'acme\u200b' });
    expect([deceptive.decisions[0]!.right, reasons(deceptive), deceptive.labels.size]).toEqual([null, ['6 deceptive_name'], 0]);
    const labeller = judged([{ ...billing, by: 'd\u0435sk' }]);
    expect([labeller.decisions[0]!.right, reasons(labeller)]).toEqual([null, ['6 deceptive_name']]);
    expect(reasons(judged([{ right_answer: { qeue: 'billing' } }]))).toEqual(['6 unknown_answer']);
    expect(reasons(judged([{ right_answer: { queue: 'sales' } }]))).toEqual(['6 unknown_answer']);
    const message = log(
      ['session.created', created],
      ['agent.message', say('Hi'), 'sthr_1'],
      ['feedback.recorded', { judges: 'e2', verdict: 'right', by: 'desk' }],
    );
    expect(reasons(episodeOf(message)!)).toEqual(['3 no_decision']);
  });
});

it('is marked when it was recorded elsewhere', () => {
  const imported = { ...created, imported: { format: 'messages', source: 'a.jsonl', row: 0 } };
  expect(episodeOf(log(['session.created', imported]))).toMatchObject({ imported: true, decisions: [] });
});

it('passes over what is erased, unknown or no choice among the values of the tool', () => {
  const erased = log(...delegated);
  erased[1]!.data = null;
  expect(episodeOf(erased)?.decisions[0]?.request).toBe('Route this refund');
  erased[0]!.data = null;
  expect(episodeOf(erased)).toBeNull();
  for (const input of [null, 'text', { queue: 'sales' }, { queue: 7 }, {}]) {
    expect(episodeOf(log(...delegated.slice(0, 4), ['agent.tool_use', call(input), 'sthr_2']))?.decisions).toEqual([]);
  }
  expect(episodeOf(log(...delegated.slice(0, 4), ['agent.tool_use', call({ queue: 'billing' }), 'sthr_1']))?.decisions).toEqual([]);
});

it('is read at rest only, and not while it waits for somebody', () => {
  const reader = new SessionReader();
  const read = (...rows: [string, unknown, string?][]): Episode | null => {
    for (const event of log(...rows)) reader.add(event);
    return reader.episode();
  };
  expect(read(...delegated)).toBeNull();
  expect(read(idle)).not.toBeNull();
  expect(read(['session.status_running', {}, 'system'])).toBeNull();
  const waits = { stop_reason: { type: 'requires_action', event_ids: ['e5'] }, stop_details: null };
  expect(read(['session.status_idle', waits, 'system'])).toBeNull();
});

it('knows what each thread was given of the memory', () => {
  const insights = [{ store: 'memstore_1', insight_id: 'i1' }];
  const given: [string, unknown, string?] = ['memory.given', { insights, size_bytes: 9, sha256: 'x' }, 'sthr_2'];
  const episode = episodeOf(log(...delegated.slice(0, 4), given, delegated[4]!));
  expect(episode?.decisions[0]?.given).toEqual([{ ...insights[0], version: 3 }]);
});

describe('an error', () => {
  const use = (name: string): [string, unknown, string?] => [
    'agent.tool_use',
    { name, input: {}, evaluated_permission: 'allow' },
    'sthr_1',
  ];
  const failed = (id: string): [string, unknown, string?] => [
    'agent.tool_result',
    { tool_use_id: id, is_error: true, ...say('Error: flight HAT030 is full on 2024-05-13') },
    'sthr_1',
  ];
  const message: [string, unknown, string?] = ['agent.message', say('Sorry'), 'sthr_1'];
  const next = (...rows: [string, unknown, string?][]): unknown =>
    episodeOf(log(['session.created', created], use('book'), failed('e2'), ...rows))?.errors;

  it('is kept with what followed it', () => {
    const error = {
      session: 'sesn_1',
      principal: 'acme',
      tool: 'book',
      signature: 'error: flight * is full on *',
      own: expect.arrayContaining(['is', 'full']) as string[],
      evidence: 'session/sesn_1#3',
    };
    expect(next(use('search'))).toEqual([{ ...error, next: 'search' }]);
    expect(next(message)).toEqual([{ ...error, next: 'respond' }]);
    expect(next(message, use('search'))).toEqual([{ ...error, next: 'search' }]);
    expect(next(message, ['user.message', say('Go on')], use('search'))).toEqual([{ ...error, next: 'respond' }]);
    expect(next()).toEqual([{ ...error, next: null }]);
  });
});
