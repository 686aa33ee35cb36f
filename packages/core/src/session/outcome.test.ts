import { describe, expect, test } from 'vitest';
import type { Criterion, CriterionScore } from '@dreamfold/events';
import { GivenSession, givenAgent, givenCriterion, type GivenTeam } from '../testing/given-session.ts';
import { interrupt, judge, sendMessage } from './commands/commands.ts';
import { awaitedEvents, unjudged } from './decide.ts';
import { attemptFailed } from './attempts.ts';
import { graded, type Grading } from './grading.ts';
import { bestAttempt, NO_USAGE } from './fold/state.ts';

const agents = [givenAgent('lead')];

function given(criteria: readonly Criterion[], team: Partial<GivenTeam> = {}): GivenSession {
  return new GivenSession('Write it.', { agents, criteria, ...team });
}

function grades(session: GivenSession, scores: Readonly<Record<string, number>>, grading: Partial<Grading> = {}): string[] {
  const list: CriterionScore[] = Object.entries(scores).map(([id, score]) => ({ id, score, reason: `because ${id}`, grader: 'code:x' }));
  const { evaluationId } = session.state.outcome!;
  return session.when((state) => graded(state, { evaluationId: evaluationId!, scores: list, usage: NO_USAGE, costUsd: 0, ...grading }));
}

describe('an outcome', () => {
  test('goes back with scores and reasons until it is satisfied', () => {
    const session = given([givenCriterion('short'), givenCriterion('true', { weight: 3 })], { passScore: 0.8 });
    session.answers('lead', 'first');
    expect(session.underWay).toEqual(['grade']);
    expect(grades(session, { short: 1, true: 0 })).toEqual(['outcome.scored', 'span.outcome_evaluation_end', 'span.model_request_start']);
    const [revise] = session.thread('lead').messages.at(-1)!.content;
    expect(revise).toMatchObject({ type: 'text', text: expect.stringContaining('- true: 0.00 (because true)') as string });
    session.answers('lead', 'second');
    grades(session, { short: 0.5, true: 1 });
    expect(session.state).toMatchObject({ status: 'idle', outcome: { result: 'satisfied', iteration: 1 } });
    expect(session.dataOf('outcome.scored').map((scored) => scored['score'])).toEqual([0.25, 0.875]);
    expect(bestAttempt(session.state.outcome!)).toMatchObject({ text: 'second', score: 0.875 });
  });

  test('returns its best attempt, not its last, and the earliest of equals', () => {
    const session = given([givenCriterion('good')], { maxIterations: 4 });
    for (const [words, score] of [
      ['bad', 0.1],
      ['best', 0.7],
      ['as good', 0.7],
      ['worse', 0.3],
    ] as const) {
      session.answers('lead', words);
      grades(session, { good: score });
    }
    expect(session.state).toMatchObject({ status: 'idle', outcome: { result: 'max_iterations_reached', iteration: 3 } });
    expect(session.state.outcome!.attempts).toHaveLength(4);
    expect(bestAttempt(session.state.outcome!)).toMatchObject({ text: 'best', iteration: 1 });
    expect(session.state.outcome!.explanation).toContain('the best of 4 attempts has 0.70');
  });

  test('with one attempt stops after it', () => {
    const session = given([givenCriterion('good')], { maxIterations: 1 });
    session.answers('lead', 'only');
    grades(session, { good: 0.9 });
    expect(session.state.outcome).toMatchObject({ result: 'max_iterations_reached' });
    expect(session.work).toEqual([]);
  });

  test('misses no pass mark by a rounding error', () => {
    const criteria = ['a', 'b', 'c'].map((id) => givenCriterion(id, { weight: 0.1 }));
    const session = given(criteria, { passScore: 1 });
    session.answers('lead', 'all');
    grades(session, { a: 1, b: 1, c: 1 });
    expect(session.state.outcome!.result).toBe('satisfied');
  });

  test('fails when a grader could not judge, and when one left a criterion out', () => {
    for (const [scores, grading, words] of [
      [{}, { failure: 'It broke.' }, 'It broke.'],
      [{ good: 1 }, {}, 'No grader scored true'],
    ] as const) {
      const session = given([givenCriterion('good'), givenCriterion('true')]);
      session.answers('lead', 'first');
      grades(session, scores, grading);
      expect(session.state).toMatchObject({ status: 'idle', outcome: { result: 'failed' } });
      expect(session.state.outcome!.explanation).toContain(words);
      expect(session.dataOf('outcome.scored')).toEqual([]);
    }
  });

  test('counts what graders use', () => {
    const session = given([givenCriterion('good')]);
    session.answers('lead', 'first');
    grades(session, { good: 1 }, { usage: { ...NO_USAGE, input_tokens: 30, output_tokens: 12 }, costUsd: 0.25 });
    expect(session.state.usage).toMatchObject({ input_tokens: 30, output_tokens: 12, costUsd: 0.25, modelCalls: 1 });
  });

  test('that was graded twice counts once', () => {
    const session = given([givenCriterion('good')]);
    session.answers('lead', 'first');
    const { evaluationId } = session.state.outcome!;
    grades(session, { good: 0 });
    session.answers('lead', 'second');
    expect(grades(session, { good: 1 }, { evaluationId: evaluationId! })).toEqual([]);
    expect(session.underWay).toEqual(['grade']);
  });

  test.each([
    ['interrupted', (session: GivenSession) => session.when((state) => interrupt(state))],
    ['failed', (session: GivenSession) => session.answers('lead', 'No.', { stopReason: 'refusal' })],
    [
      'failed',
      (session: GivenSession) => {
        const { id, request } = session.thread('lead');
        const failure = { threadId: id, startId: request!.startId, attempt: 1, code: 'model_timeout', message: '', retryAfterMs: null };
        return session.when((state) => attemptFailed(state, failure));
      },
    ],
  ])('of a lead that stopped is %s', (result, stop) => {
    const session = given([givenCriterion('good')]);
    session.answers('lead', 'first');
    grades(session, { good: 0.4 });
    stop(session);
    expect(session.state).toMatchObject({ status: 'idle', outcome: { status: 'done', result } });
    expect(bestAttempt(session.state.outcome!)).toMatchObject({ text: 'first', score: 0.4 });
  });

  test('is interrupted while it is graded', () => {
    const session = given([givenCriterion('good')]);
    session.answers('lead', 'first');
    session.when((state) => interrupt(state));
    expect(session.work).toEqual([]);
    expect(session.state).toMatchObject({ status: 'idle', outcome: { result: 'interrupted' } });
    expect(grades(session, { good: 1 }, { evaluationId: 'late' })).toEqual([]);
  });

  test('takes a message that comes while it is graded with the revision', () => {
    const session = given([givenCriterion('good')]);
    session.answers('lead', 'first');
    session.when((state) => sendMessage(state, 'Make it rhyme.'));
    grades(session, { good: 0 });
    expect(JSON.stringify(session.thread('lead').messages.at(-1))).toMatch(/does not meet.*Make it rhyme/s);
  });
});

describe('a person grades', () => {
  const taste = givenCriterion('taste', { grader: { kind: 'person' } });

  test('when asked, and code after that', () => {
    const session = given([taste, givenCriterion('short')]);
    session.answers('lead', 'first');
    expect(session.state).toMatchObject({ status: 'idle', stopReason: { type: 'requires_action' } });
    expect(awaitedEvents(session.state)).toEqual([session.state.outcome!.evaluationId]);
    expect(unjudged(session.state)).toEqual(['taste']);
    expect(session.work).toEqual([]);
    const types = session.when((state) => judge(state, { criterion: 'taste', score: 1, reason: 'Lovely.', by: 'ann' }));
    expect(types).toEqual(['outcome.judged', 'session.status_running']);
    expect(session.underWay).toEqual(['grade']);
    grades(session, { short: 1 });
    expect(session.state.outcome!.attempts[0]!.criteria).toMatchObject([{ id: 'taste', score: 1, grader: 'person:ann' }, { id: 'short' }]);
  });

  test('each attempt anew', () => {
    const session = given([taste]);
    session.answers('lead', 'first');
    session.when((state) => judge(state, { criterion: 'taste', score: 0, reason: 'Bland.', by: 'ann' }));
    grades(session, {});
    session.answers('lead', 'second');
    expect(unjudged(session.state)).toEqual(['taste']);
  });

  test.each([
    [{ criterion: 'taste', score: 1.5 }, 'invalid_argument'],
    [{ criterion: 'taste', score: Number.NaN }, 'invalid_argument'],
    [{ criterion: 'short', score: 1 }, 'not_found'],
    [{ criterion: 'nothing', score: 1 }, 'not_found'],
  ])('nothing that does not wait for it: %j', (judgement, code) => {
    const session = given([taste, givenCriterion('short')]);
    session.answers('lead', 'first');
    expect(() => judge(session.state, { reason: 'x', by: 'ann', ...judgement })).toThrow(expect.objectContaining({ code }) as Error);
  });

  test('once', () => {
    const session = given([taste, givenCriterion('scent', { grader: { kind: 'person' } })]);
    session.answers('lead', 'first');
    session.when((state) => judge(state, { criterion: 'taste', score: 1, reason: 'x', by: 'ann' }));
    expect(() => judge(session.state, { criterion: 'taste', score: 0, reason: 'x', by: 'bob' })).toThrow(
      expect.objectContaining({ code: 'already_decided' }) as Error,
    );
  });
});
