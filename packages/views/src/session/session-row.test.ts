import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  confirmTool,
  evolveSession,
  hasSomethingToDo,
  initialSession,
  interrupt,
  judge,
  parseMessagesLine,
  sendMessage,
} from '@dreamfold/core';
import { GivenSession, givenAgent, givenCriterion, givenTool, seeded, textDigest } from '@dreamfold/core/testing';
import { EVENT_VERSION, streamOf, text, type EventType, type LogEvent, type NewEvent } from '@dreamfold/events';
import { evolveCosts, NO_COSTS, sumOfCosts } from './costs.ts';
import { evolveSessionRow } from './evolve-row.ts';
import { initialSessionRow, rowHasSomethingToDo } from './row-state.ts';
import { sessionRow, sessionRowOf } from './session-row.ts';

/** After each event, what the small fold says and what the whole one says are the same. */
function expectSame(id: string, events: readonly LogEvent[]): void {
  let whole = initialSession(id);
  let row = initialSessionRow(id);
  for (const event of events) {
    whole = evolveSession(whole, event);
    // As it comes back from a file.
    row = evolveSessionRow(JSON.parse(JSON.stringify(row)) as typeof row, event);
    const at = `${event.seq} ${event.type}`;
    expect({ at, toDo: rowHasSomethingToDo(row) }).toEqual({ at, toDo: hasSomethingToDo(whole) });
    for (const processor of ['unknown', null, { since: 0 }, { since: 1500 }] as const) {
      expect({ at, ...sessionRowOf(row, processor) }).toEqual({ at, ...sessionRow(whole, processor) });
    }
  }
}

const AGENTS = [
  givenAgent('lead', { roster: ['clerk'], tools: [givenTool('look'), givenTool('pay', { policy: 'always_ask', effect: 'unsafe' })] }),
  givenAgent('clerk', { tools: [givenTool('look'), givenTool('pay', { policy: 'always_ask' })] }),
];
const CRITERIA = [givenCriterion('kind', { grader: { kind: 'person' } }), givenCriterion('exact', { grader: { kind: 'person' } })];

/** A session in which models, tools and people do what a seed says. */
function played(seed: number): GivenSession {
  const random = seeded(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const session = new GivenSession('Begin.', {
    agents: AGENTS,
    caps: pick([{}, { turns: 3 }, { tool_calls: 2 }]),
    ...(random() < 0.5 ? { criteria: CRITERIA, maxIterations: 2 } : {}),
  });
  const steps: Record<string, () => unknown> = {
    answer: () => {
      const open = pick(session.work.filter((work) => work.kind === 'model'));
      const thread = session.state.threads.find(({ id }) => id === open.threadId)!;
      const delegation = { tool: 'delegate', input: { agent: 'clerk', task: 'Do it.' } };
      const parts = [{ tool: 'look' }, { tool: 'pay', input: { euro: 1 } }, 'Words.', ...(thread.parent === null ? [delegation] : [])];
      return session.answers(thread.id, [pick(parts), pick(parts)], pick([{}, {}, {}, { stopReason: 'refusal' as const }]));
    },
    finish: () => session.finishes(pick(['look', 'pay']), pick(['ok', { text: 'no', errorCode: 'failed' }])),
    confirm: () => {
      const call = pick(session.state.threads.flatMap(({ calls }) => calls.filter(({ status }) => status === 'asked')));
      const word = pick([{ result: 'allow' as const }, { result: 'deny' as const }, { result: 'allow' as const, input: { euro: 2 } }]);
      return session.when((state) => confirmTool(state, { toolUseId: call.id, by: 'ann', ...word }));
    },
    judge: () => session.when((state) => judge(state, { criterion: pick(CRITERIA).id, score: pick([0, 1]), reason: 'So.', by: 'ann' })),
    say: () => session.when((state) => sendMessage(state, 'And more.')),
    stop: () => session.when((state) => interrupt(state, pick([undefined, ...session.state.threads.map(({ id }) => id)]))),
    // What nobody has checked at the door: it may stand on the log all the same.
    unasked: () => {
      const cap = { type: 'cap.reached', class: 'owner', actor: 'system', data: { cap: 'tokens', limit: 1, value: 2 } } as const;
      const message = { type: 'user.message', class: 'open', actor: 'user', data: { content: text('More.') } } as const;
      const [call] = session.state.threads.flatMap(({ calls }) => calls.map(({ id }) => id));
      const data = { tool_use_id: call ?? '', result: pick(['allow', 'deny'] as const) };
      const word = { type: 'user.tool_confirmation', class: 'open', actor: 'user', data } as const;
      return session.when(() => [pick([cap, message, word, word])]);
    },
    change: () =>
      session.when((state) => [
        {
          ...{ type: 'session.team_updated', class: 'owner', actor: 'system' },
          data: { team: state.team, changed_tools: [{ agent: pick(['lead', 'clerk']), tool: 'pay' }] },
        },
      ]),
  };
  const weighted = [
    ...Array<string>(6).fill('answer'),
    ...Array<string>(4).fill('finish'),
    ...Array<string>(3).fill('judge'),
    'confirm',
    'confirm',
    'say',
    'stop',
    'change',
    'unasked',
  ];
  for (let i = 0; i < 60; i += 1) {
    session.now += 100;
    try {
      steps[pick(weighted)]!();
    } catch {
      // Nothing of the kind is under way.
    }
  }
  return session;
}

describe('the row that a list keeps', () => {
  test('is that of the whole session, after each event of 200 sessions that are played', () => {
    const statuses = new Set<string>();
    for (let seed = 1; seed <= 200; seed += 1) {
      const session = played(seed);
      expectSame(session.state.id, session.events);
      statuses.add(sessionRow(session.state).status);
    }
    expect(statuses.size).toBeGreaterThan(3);
  });

  test('is that of the whole session for a record', () => {
    const line = {
      messages: [
        { role: 'user', content: 'Where is it?' },
        { role: 'assistant', content: 'Here.' },
      ],
      score: 0.5,
    };
    const record = parseMessagesLine(JSON.stringify(line), 1, { source: 'runs.jsonl', sha256: textDigest })!;
    expectSame(
      record.sessionId,
      logged(
        record.sessionId,
        record.appends.flatMap(({ events }) => events),
      ),
    );
  });

  test('is that of the whole session for fixtures of every version, in any order', () => {
    const folder = new URL('../../../events/golden/', import.meta.url);
    const files = readdirSync(folder).filter((file) => file.endsWith('.json') && file !== 'digests.json');
    const fixtures = files.map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as LogEvent & { data: string });
    const random = seeded(7);
    for (let round = 0; round < 50; round += 1) {
      const shuffled = fixtures.map((event) => [random(), event] as const).toSorted(([a], [b]) => a - b);
      const created = fixtures.filter(({ type }) => type === 'session.created');
      const events = [...created, ...shuffled.map(([, event]) => event)].map((event, i) => ({
        ...{ ...event, stream: 'session/sesn_1', seq: i + 1, data: random() < 0.1 ? null : (JSON.parse(event.data) as unknown) },
      }));
      expectSame('sesn_1', events);
    }
  });

  test('says that a session holds what is newer than this code', () => {
    const [first] = played(1).events;
    expectSame('sesn_given', [
      first!,
      { ...first!, seq: 2, type: 'session.dreamt', data: {} },
      { ...first!, seq: 3, type: 'user.message', data: 1 },
    ]);
  });
});

test('an attempt before the newest message is no answer to it', () => {
  const usage = { input_tokens: 0, output_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  const outcome = { outcome_id: 'outc_1', iteration: 0 };
  const scored = (score: number) => ['outcome.scored', { ...outcome, attempt_event_id: 'a', score, criteria: [] }] as const;
  const ended = { ...outcome, outcome_evaluation_start_id: 's', result: 'needs_revision', explanation: '', usage };
  const define = {
    ...{ outcome_id: 'outc_1', description: 'Right.', rubric: { type: 'text', content: 'x' }, max_iterations: null },
    ...{ df_criteria: CRITERIA, df_pass_score: 1 },
  };
  const [created] = played(1).events;
  const events = [
    ['user.define_outcome', define] as const,
    ['message.taken_up', { message_ids: ['sevt_1'] }] as const,
    scored(0.9),
    ['span.outcome_evaluation_end', ended] as const,
    ['user.message', { content: text('More.') }] as const,
    ['message.taken_up', { message_ids: ['sevt_5'] }] as const,
    scored(0.2),
  ].map(([type, data], i) => ({ ...created!, seq: i + 2, id: `sevt_${i + 1}`, type, v: EVENT_VERSION[type as EventType], data }));
  const rows = events.map((_, i) =>
    sessionRowOf([created!, ...events.slice(0, i + 1)].reduce(evolveSessionRow, initialSessionRow('sesn_given'))),
  );
  expect(rows.map(({ score }) => score)).toEqual([null, null, 0.9, 0.9, 0.9, 0.9, 0.2]);
});

function logged(id: string, events: readonly NewEvent[]): LogEvent[] {
  return events.map(({ type, actor, data }, i) => ({
    ...{ position: i + 1, stream: streamOf('session', id), seq: i + 1, id: `sevt_${i}`, time: i, type, actor, data },
    ...{ v: EVENT_VERSION[type as EventType], hash: '', causation: null, correlation: null },
  }));
}

test('what the agents and the graders cost is what the session cost', () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const { state, events } = played(seed);
    const { agents, graders } = events.reduce(evolveCosts, NO_COSTS);
    const all = Object.values(agents).reduce(sumOfCosts, graders);
    const { modelCalls, toolCalls, costUsd, ...usage } = state.usage;
    expect(all).toEqual({ modelCalls, toolCalls, costUsd, usage });
  }
});

test('a long task is kept once, and messages that wait for a busy lead by their ids alone', () => {
  const [created] = played(1).events;
  const say = (seq: number): LogEvent => ({
    ...created!,
    seq,
    id: `m${seq}`,
    type: 'user.message',
    data: { content: text('x'.repeat(100)) },
  });
  const takeUp = { ...created!, seq: 3, type: 'message.taken_up', data: { message_ids: ['m2'] } };
  const row = [created!, say(2), takeUp, say(4)].reduce(evolveSessionRow, initialSessionRow('sesn_given'));
  expect(row).toMatchObject({ task: 'x'.repeat(100), queue: [{ id: 'm4', text: '' }] });
});
