// What a turn gives: the answer to what was asked in it, and the outcome that was asked for with it.
import { describe, expect, test } from 'vitest';
import type { CriterionScore, DefineOutcome } from '@dreamfold/events';
import { GivenSession, givenAgent, givenCriterion } from '../testing/given-session.ts';
import { askForOutcome, interrupt, judge, sendMessage } from './commands/commands.ts';
import { graded } from './grading.ts';
import { answerOfTurn, bestAttempt, NO_USAGE, outcomeOfTurn } from './fold/state.ts';

const agents = [givenAgent('lead')];

function given(criterion = givenCriterion('good')): GivenSession {
  return new GivenSession('Write it.', { agents, criteria: [criterion] });
}

function grade(session: GivenSession, score: number): void {
  const scores: CriterionScore[] = [{ id: 'good', score, reason: 'x', grader: 'code:good' }];
  const evaluationId = session.state.outcome!.evaluationId!;
  session.when((state) => graded(state, { evaluationId, scores, usage: NO_USAGE, costUsd: 0 }));
}

function satisfied(): GivenSession {
  const session = given();
  session.answers('lead', 'first');
  grade(session, 1);
  return session;
}

const said = (session: GivenSession): string | undefined => answerOfTurn(session.state)?.text;

describe('an outcome that has ended', () => {
  test('speaks for its turn until the next message is taken up', () => {
    const session = satisfied();
    expect(outcomeOfTurn(session.state)).toMatchObject({ result: 'satisfied' });
    session.when((state) => sendMessage(state, 'And the other?'));
    expect(outcomeOfTurn(session.state)).toBeNull();
    expect(said(session)).toBeUndefined();
    session.answers('lead', 'second');
    expect(said(session)).toBe('second');
    expect(session.state).toMatchObject({ status: 'idle', outcome: { result: 'satisfied' } });
    expect(session.dataOf('outcome.scored')).toHaveLength(1);
  });

  test('speaks on when the message was withdrawn before anybody took it up', () => {
    const session = satisfied();
    session.state = { ...session.state, queue: [{ id: 'sevt_waits', content: [{ type: 'text', text: 'Never mind.' }] }] };
    session.when((state) => interrupt(state));
    expect(session.state.queue).toEqual([]);
    expect(outcomeOfTurn(session.state)).toMatchObject({ result: 'satisfied' });
    expect(said(session)).toBe('first');
  });

  test('says nothing of a turn that was interrupted or failed before its first word', () => {
    for (const stop of [
      (session: GivenSession) => session.when((state) => interrupt(state)),
      (session: GivenSession) => session.answers('lead', [], { stopReason: 'refusal' }),
    ]) {
      const session = satisfied();
      session.when((state) => sendMessage(state, 'And the other?'));
      stop(session);
      expect(session.state.status).toBe('idle');
      expect(outcomeOfTurn(session.state)).toBeNull();
      expect(said(session)).toBeUndefined();
    }
  });

  test('by an interrupt leaves the next message to itself', () => {
    const session = given();
    session.when((state) => interrupt(state));
    expect(outcomeOfTurn(session.state)).toMatchObject({ result: 'interrupted' });
    session.when((state) => sendMessage(state, 'Rather this.'));
    session.answers('lead', 'this');
    expect([outcomeOfTurn(session.state), said(session)]).toEqual([null, 'this']);
  });

  test('while a message waited, gives the turn to that message', () => {
    const session = given();
    session.answers('lead', 'first');
    session.when((state) => sendMessage(state, 'And the other?'));
    grade(session, 1);
    session.answers('lead', 'second');
    expect([outcomeOfTurn(session.state), said(session)]).toEqual([null, 'second']);
  });

  test('by the score of a person, who was asked before the message came, does so too', () => {
    const session = given(givenCriterion('good', { grader: { kind: 'person' } }));
    session.answers('lead', 'first');
    session.when((state) => sendMessage(state, 'And the other?'));
    expect(outcomeOfTurn(session.state)).toMatchObject({ status: 'evaluating' });
    session.when((state) => judge(state, { criterion: 'good', score: 1, reason: 'x', by: 'ann' }));
    const evaluationId = session.state.outcome!.evaluationId!;
    session.when((state) => graded(state, { evaluationId, scores: [], usage: NO_USAGE, costUsd: 0 }));
    session.answers('lead', 'second');
    expect([outcomeOfTurn(session.state), said(session)]).toEqual([null, 'second']);
    expect(session.state.outcome).toMatchObject({ result: 'satisfied' });
  });
});

describe('a message that comes while the lead revises', () => {
  test('belongs to the outcome, and no attempt from before it is the best', () => {
    const session = given();
    session.answers('lead', 'first');
    grade(session, 0.7);
    session.when((state) => sendMessage(state, 'Make it rhyme.'));
    session.answers('lead', 'second');
    expect(session.underWay).toEqual(['model lead']);
    session.answers('lead', 'it rhymes');
    grade(session, 0.5);
    session.answers('lead', 'it rhymes less');
    grade(session, 0.4);
    expect(outcomeOfTurn(session.state)).toMatchObject({ result: 'max_iterations_reached' });
    expect(bestAttempt(session.state.outcome!)).toMatchObject({ text: 'it rhymes', score: 0.5 });
    expect(session.state.outcome!.explanation).toContain('the best of 2 attempts has 0.50');
  });

  test('leaves the attempts from before it when there is none after it', () => {
    const session = given();
    session.answers('lead', 'first');
    session.when((state) => sendMessage(state, 'Make it rhyme.'));
    grade(session, 0.7);
    session.answers('lead', 'No.', { stopReason: 'refusal' });
    expect(outcomeOfTurn(session.state)).toMatchObject({ result: 'failed' });
    expect(bestAttempt(session.state.outcome!)).toMatchObject({ text: 'first' });
  });
});

describe('a message with a rubric', () => {
  const next: DefineOutcome = {
    outcome_id: 'outc_2',
    description: 'And the other?',
    rubric: { type: 'text', content: 'The rubric.' },
    max_iterations: 3,
    df_criteria: [givenCriterion('good')],
    df_pass_score: 1,
  };

  test('begins an outcome of its own', () => {
    const session = satisfied();
    session.when((state) => askForOutcome(state, next));
    session.answers('lead', 'second');
    grade(session, 0);
    session.answers('lead', 'third');
    grade(session, 1);
    expect(outcomeOfTurn(session.state)).toMatchObject({ id: 'outc_2', result: 'satisfied', iteration: 1 });
    expect(bestAttempt(session.state.outcome!)).toMatchObject({ text: 'third' });
  });

  test('is not graded by what was said in an earlier turn', () => {
    const session = satisfied();
    session.when((state) => askForOutcome(state, next));
    session.answers('lead', []);
    grade(session, 0);
    expect(session.state.outcome!.attempts).toMatchObject([{ text: '', eventId: '' }]);
  });

  test.each([
    ['an outcome is under way', () => given()],
    ['the lead is busy', () => new GivenSession('Begin.', { agents })],
    [
      'a person is asked for a score',
      () => {
        const session = given(givenCriterion('good', { grader: { kind: 'person' } }));
        session.answers('lead', 'first');
        return session;
      },
    ],
  ])('is refused while %s', (_, begun) => {
    expect(() => askForOutcome(begun().state, next)).toThrow(expect.objectContaining({ code: 'session_busy' }) as Error);
  });
});
