import { describe, expect, test } from 'vitest';
import { EVENT_VERSION, text, type EventType, type LogEvent, type NewEvent } from '@dreamfold/events';
import { GivenSession, givenAgent, givenCriterion, givenTool } from '../testing/given-session.ts';
import { interrupt, sendMessage } from './commands/commands.ts';
import { decideSession, openWork } from './decide.ts';
import { evolveSession } from './fold/evolve.ts';
import { hasSomethingToDo } from './rest.ts';
import { initialSession, leadThreadId, DEFAULT_CAPS, NO_USAGE, type SessionState } from './fold/state.ts';
import { modelAnswered, type Answer } from './answer.ts';

const { context } = new GivenSession('Begin.', { agents: [givenAgent('lead')] });

function after(state: SessionState, ...events: readonly NewEvent[]): SessionState {
  return events.reduce((before, { type, actor, data }) => {
    const seq = before.seq + 1;
    const place = { position: seq, stream: 'session/sesn_new', seq, id: `sevt_${seq}`, time: seq, hash: '' };
    const event: LogEvent = { ...place, type, actor, data, v: EVENT_VERSION[type as EventType], causation: null, correlation: null };
    return evolveSession(before, event);
  }, state);
}

function created(asked: Pick<NewEvent, 'type' | 'data'>): SessionState {
  const team = { lead: 'lead', agents: [givenAgent('lead')] };
  const data = { principal: 'ann', team, caps: DEFAULT_CAPS, memory: [] };
  return after(
    initialSession('sesn_new'),
    { type: 'session.created', class: 'open', actor: 'user', data },
    { class: 'open', actor: 'user', ...asked },
  );
}

const outcome = {
  outcome_id: 'outc_1',
  description: 'Begin.',
  rubric: { type: 'text', content: 'The rubric.' },
  max_iterations: 3,
  df_criteria: [givenCriterion('good')],
  df_pass_score: 1,
};
const submitted = created({ type: 'user.message', data: { content: text('Begin.') } });

describe('an interrupt of a session that nobody has begun with', () => {
  test.each([
    ['a message', submitted, null],
    ['an outcome', created({ type: 'user.define_outcome', data: outcome }), { status: 'done', result: 'interrupted' }],
  ])('withdraws %s, and leaves nothing to do', (_, session, ended) => {
    expect(hasSomethingToDo(session)).toBe(true);
    const stopped = after(session, ...interrupt(session));
    expect(stopped).toMatchObject({ status: 'idle', stopReason: { type: 'end_turn' }, interrupted: true, queue: [], outcome: ended });
    expect(hasSomethingToDo(stopped)).toBe(false);
    expect(decideSession(stopped, context)).toEqual([]);
    expect(interrupt(stopped)).toEqual([]);
  });

  test('says the same of its lead, and nothing of a thread that it does not have', () => {
    const lead = leadThreadId(submitted.id);
    expect(after(submitted, ...interrupt(submitted, lead)).interrupted).toBe(true);
    expect(() => interrupt(submitted, 'sthr_none')).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  test('leaves it to what is said afterwards', () => {
    const stopped = after(submitted, ...interrupt(submitted));
    const asked = after(stopped, ...sendMessage(stopped, 'Rather this.'));
    const running = after(asked, ...decideSession(asked, context));
    expect(running).toMatchObject({ status: 'running', interrupted: false });
    expect(running.threads[0]).toMatchObject({ task: 'Rather this.', pending: [{ type: 'text', text: 'Rather this.' }] });
  });

  test('keeps why it had stopped before', () => {
    const session = new GivenSession('Begin.', { agents: [givenAgent('lead')] });
    session.answers('lead', 'No.', { stopReason: 'refusal' });
    const asked = after(session.state, ...sendMessage(session.state, 'More.'));
    expect(after(asked, ...interrupt(asked))).toMatchObject({ stopReason: { type: 'refusal' }, interrupted: true, queue: [] });
  });
});

test('an interrupt of a session that runs leaves it the messages that wait', () => {
  const session = new GivenSession('Begin.', { agents: [givenAgent('lead')] });
  session.when((state) => interrupt(state));
  expect(session.state).toMatchObject({ status: 'idle', interrupted: true });
  session.when((state) => sendMessage(state, 'More.'));
  session.when((state) => sendMessage(state, 'And more.'));
  session.when((state) => interrupt(state));
  expect(session.state).toMatchObject({ status: 'running', interrupted: false, queue: [] });
  expect(openWork(session.state)).toHaveLength(1);
});

describe('an interrupt of a thread', () => {
  const roster = (name: string, ...under: string[]) => givenAgent(name, { roster: under });
  const begun = (): GivenSession => {
    const session = new GivenSession('Begin.', {
      agents: [
        roster('lead', 'desk', 'other'),
        roster('desk', 'clerk'),
        roster('clerk', 'runner'),
        givenAgent('runner'),
        givenAgent('other'),
      ],
      caps: { depth: 3 },
    });
    const ask = (agent: string): { tool: string; input: unknown } => ({ tool: 'delegate', input: { agent, message: 'Help.' } });
    session.answers('lead', [ask('desk'), ask('other')]);
    session.answers('desk', ask('clerk'));
    session.answers('clerk', ask('runner'));
    return session;
  };

  test('reaches what is under it, however deep, and nobody else', () => {
    const session = begun();
    expect(session.underWay).toEqual(['model other', 'model runner']);
    session.when((state) => interrupt(state, session.thread('desk').id));
    expect(session.underWay).toEqual(['model other']);
    expect(['lead', 'desk', 'clerk', 'runner', 'other'].map((agent) => session.thread(agent).running)).toEqual([
      true,
      false,
      false,
      false,
      true,
    ]);
  });

  test('leaves the thread above to go on with its report', () => {
    const session = begun();
    session.when((state) => interrupt(state, session.thread('runner').id));
    expect(session.underWay).toEqual(['model other', 'model clerk']);
  });
});

test('an answer that comes after an interrupt is recorded, and none of its calls starts', () => {
  const session = new GivenSession('Begin.', { agents: [givenAgent('lead', { tools: [givenTool('pay')] })] });
  const { id, request } = session.thread('lead');
  // Noticed on the log, and not decided upon yet.
  const interrupted = after(session.state, ...interrupt(session.state));
  const answer: Answer = {
    content: [
      { type: 'text', text: 'I pay.' },
      { type: 'tool_use', name: 'pay', input: {} },
    ],
    ...{ stopReason: 'tool_use', usage: NO_USAGE, costUsd: 0 },
  };
  const events = modelAnswered(interrupted, { threadId: id, startId: request!.startId, answer, appendId: 'sevt_answer' }, session.context);
  expect(events.map(({ type }) => type)).toEqual(['agent.message', 'span.model_request_end']);
  expect(events.at(-1)!.data).toMatchObject({ df_stop_reason: 'interrupted' });
});

test('an answer to a request that is over is not recorded, only what it cost', () => {
  const session = new GivenSession('Begin.', { agents: [givenAgent('lead')] });
  const { id } = session.thread('lead');
  const answer: Answer = { content: [{ type: 'text', text: 'Late.' }], stopReason: 'end_turn', usage: NO_USAGE, costUsd: 0 };
  const late = (usage: Answer['usage']) =>
    modelAnswered(session.state, { threadId: id, startId: 'sevt_over', answer: { ...answer, usage }, appendId: 'sevt_a' }, session.context);
  expect(late(NO_USAGE)).toEqual([]);
  expect(late({ ...NO_USAGE, output_tokens: 7 })).toMatchObject([
    {
      type: 'model.attempt_failed',
      data: { model_request_start_id: 'sevt_over', retry_after_ms: null, model_usage: { output_tokens: 7 } },
    },
  ]);
});
