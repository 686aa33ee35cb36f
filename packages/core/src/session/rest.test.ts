import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogEvent } from '@dreamfold/events';
import { GivenSession, givenAgent, givenCriterion, givenTool } from '../testing/given-session.ts';
import { interrupt, judge, sendMessage } from './commands/commands.ts';
import { confirmTool } from './commands/confirm-tool.ts';
import { unjudged } from './decide.ts';
import { evolveSession } from './fold/evolve.ts';
import { initialSession } from './fold/state.ts';
import { hasEndedAfter, hasSomethingToDo, restAfter, type SessionRest } from './rest.ts';

const STEPS = ['answers', 'calls', 'pays', 'finishes', 'confirms', 'denies', 'judges', 'sends', 'interrupts'] as const;

function begin(): GivenSession {
  const tools = [givenTool('look'), givenTool('pay', { policy: 'always_ask', effect: 'unsafe' })];
  return new GivenSession('Begin.', {
    agents: [givenAgent('lead', { tools })],
    criteria: [givenCriterion('taste', { grader: { kind: 'person' } })],
    caps: { turns: 20 },
  });
}

function take(session: GivenSession, step: (typeof STEPS)[number]): void {
  const { state, work } = session;
  const asks = state.threads[0]?.request != null;
  const asked = state.threads.flatMap(({ calls }) => calls).find(({ status }) => status === 'asked');
  if (step === 'answers' && asks) session.answers('lead', 'Done.');
  if (step === 'calls' && asks) session.answers('lead', { tool: 'look' });
  if (step === 'pays' && asks) session.answers('lead', { tool: 'pay' });
  if (step === 'finishes' && work[0]?.kind === 'tool') session.finishes(work[0].name, 'seen');
  if ((step === 'confirms' || step === 'denies') && asked !== undefined) {
    session.when((now) => confirmTool(now, { toolUseId: asked.id, result: step === 'confirms' ? 'allow' : 'deny', by: 'bob' }));
  }
  if (step === 'judges' && unjudged(state).length > 0) {
    session.when((now) => judge(now, { criterion: 'taste', score: 1, reason: 'So.', by: 'ann' }));
  }
  if (step === 'sends' && state.capReached === null) session.when((now) => sendMessage(now, 'More.'));
  if (step === 'interrupts') session.when((now) => interrupt(now));
}

/** What folding says, for a session of which some event has said where it stands. */
function standingOf(events: readonly LogEvent[]): SessionRest {
  const { status, stopReason } = events.reduce(evolveSession, initialSession('sesn_given'));
  if (status === 'running') return 'running';
  return stopReason?.type === 'requires_action' ? 'waiting' : 'ended';
}

test('events tell one by one where a session stands, as folding all of them does', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...STEPS), { maxLength: 30 }), (steps) => {
      const session = begin();
      const appends = new Set([session.events.length]);
      for (const step of steps) {
        take(session, step);
        appends.add(session.events.length);
      }
      let said: SessionRest | null = null;
      let begun: SessionRest | null = null;
      let hasEnded = false;
      for (const [i, event] of session.events.entries()) {
        const events = session.events.slice(0, i + 1);
        const rest = restAfter(event);
        said = rest ?? said;
        if (rest !== null && rest !== 'asked') begun = rest;
        hasEnded = hasEndedAfter(event) ?? hasEnded;
        expect(hasEnded).toBe(begun === 'ended');
        if (begun !== null) expect(begun).toBe(standingOf(events));
        // Whoever looks for work by events alone, between two appends, passes over none.
        const isPassedOver = appends.has(i + 1) && (said === 'waiting' || said === 'ended');
        if (isPassedOver) expect(hasSomethingToDo(events.reduce(evolveSession, initialSession('sesn_given')))).toBe(false);
      }
    }),
    { numRuns: 300 },
  );
});

test('a session that rests, and no longer says why, has nothing to run and is not known to have ended', () => {
  const session = new GivenSession('Begin.', { agents: [givenAgent('lead')] });
  session.answers('lead', 'Done.');
  const idle = session.events.findLast(({ type }) => type === 'session.status_idle')!;
  expect([idle, { ...idle, data: null }, { ...idle, v: 99 }].map(restAfter)).toEqual(['ended', 'waiting', 'waiting']);
});
