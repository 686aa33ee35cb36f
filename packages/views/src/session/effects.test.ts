import { expect, test } from 'vitest';
import { newEvent } from '@dreamfold/events';
import { confirmTool, openWork } from '@dreamfold/core';
import { GivenSession, givenAgent, givenTool, textDigest } from '@dreamfold/core/testing';
import { evolveEffects, idempotencyKeyOf, initialEffects, type Effect } from './effects.ts';
import { citedStreams, evolveCited, NOTHING_CITED } from './evidence.ts';

const lead = givenAgent('lead', {
  tools: [givenTool('look'), givenTool('pay', { effect: 'unsafe', policy: 'always_ask' }), givenTool('send', { effect: 'keyed' })],
});

function effectsOf({ state, events }: GivenSession): Effect[] {
  return [...events.reduce(evolveEffects, initialEffects(state.id)).effects];
}

test('the ledger tells of each call what it did, or that nobody knows', () => {
  const session = new GivenSession('Pay.', { agents: [lead] });
  session.answers('lead', [{ tool: 'look' }, { tool: 'pay', input: { euro: 1 } }, { tool: 'send' }]);
  const [look, pay] = effectsOf(session);
  expect([look, pay]).toMatchObject([
    { tool: 'look', effect: 'pure', status: 'started', agent: 'lead' },
    { tool: 'pay', effect: 'unsafe', status: 'asked', input: { euro: 1 } },
  ]);
  session.finishes('look', 'Here.');
  session.finishes('send', { text: 'Lost.', errorCode: 'tool_outcome_unknown' });
  session.when((state) => confirmTool(state, { toolUseId: pay!.call, result: 'allow', input: { euro: 2 }, by: 'ann' }));
  expect(effectsOf(session)).toMatchObject([
    { tool: 'look', status: 'done', result: 'Here.', code: null },
    { tool: 'pay', status: 'started', input: { euro: 2 } },
    { tool: 'send', status: 'unknown', code: 'tool_outcome_unknown' },
  ]);
  session.finishes('pay', { text: 'No.', errorCode: 'refused' });
  expect(effectsOf(session)[1]).toMatchObject({ status: 'failed', code: 'refused' });
});

test('a person may put null in the place of an input', () => {
  const session = new GivenSession('Pay.', { agents: [lead] });
  session.answers('lead', [{ tool: 'pay', input: { euro: 1 } }]);
  const [pay] = effectsOf(session);
  session.when(() => [newEvent('user.tool_confirmation', 'person:ann', { tool_use_id: pay!.call, result: 'allow', df_input: null })]);
  expect(effectsOf(session)).toMatchObject([{ status: 'started', input: null }]);
  const [work] = openWork(session.state);
  expect(work).toMatchObject({ kind: 'tool', input: null });
});

test('the key of an effect is that of the work that has it', () => {
  const session = new GivenSession('Send.', { agents: [lead] });
  session.answers('lead', [{ tool: 'send', input: { to: 'ann' } }]);
  const [work] = openWork(session.state);
  if (work?.kind !== 'tool') throw new TypeError('no tool runs');
  const { threadId, callId, name, input } = work;
  const [effect] = effectsOf(session);
  expect(idempotencyKeyOf(session.state.id, effect!, textDigest)).toBe(
    textDigest(JSON.stringify([session.state.id, threadId, callId, name, input])),
  );
});

test('what is cited is told by its session: whose it is, and what was asked', () => {
  const session = new GivenSession('Pay.', { agents: [lead] });
  expect(session.events.reduce(evolveCited, NOTHING_CITED)).toEqual({ principal: 'ann', request: 'Pay.' });
  expect(citedStreams(['session/a#2', 'session/b#1', 'session/a#4'])).toEqual([
    { stream: 'session/a', seqs: new Set([2, 4]) },
    { stream: 'session/b', seqs: new Set([1]) },
  ]);
});
