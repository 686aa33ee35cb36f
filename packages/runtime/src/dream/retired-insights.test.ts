import { idFrom, streamOf, text, type NewEvent } from '@dreamfold/events';
import { openMemoryLog, type Log } from '@dreamfold/log';
import { beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../digest.ts';
import { Dreamer } from './dreamer.ts';
import { MemoryKeeper } from '../memory/memory-keeper.ts';
import { CAPS, QUEUES, insightsOf, routeTicket, teamOf } from '../testing/routed-sessions.ts';

/** After so many labelled decisions without one of its cues an insight is stale. */
const STALE = 10_000;
const CALLS = 500;

let log: Log;
let memory: MemoryKeeper;
let dreamer: Dreamer;
/** What the desk has learnt: refunds are for billing. */
let learnt: string;

beforeEach(async () => {
  log = openMemoryLog();
  memory = new MemoryKeeper(log);
  dreamer = new Dreamer(log, memory);
  await memory.create({ name: 'desk', description: '', approval: 'auto' }, 'person:ann');
  for (const who of Array.from({ length: 12 }, (_, i) => `customer-${i}`)) {
    await routeTicket(log, [who, 'billing', 'refund'], { queues: QUEUES });
    await routeTicket(log, [who, 'technical', 'crashes'], { queues: QUEUES });
  }
  await dreamer.dream({ store: 'desk' });
  learnt = await billing();
});

/** The id of what the store says of refunds. */
async function billing(): Promise<string> {
  const { state } = await memory.load('desk');
  return insightsOf(state).find((insight) => insight.kind === 'choice' && insight.value === 'billing')!.id;
}

/** One long session: a request, so many calls, and the desk's word on each. */
async function longSession(principal: string, request: string, right: string): Promise<void> {
  const id = idFrom('session', sha256(`${principal}/${request}/${String(await log.cursor())}`));
  const stream = streamOf('session', id);
  const event = (type: string, data: unknown, actor = 'system'): NewEvent => ({ type, data, actor, class: 'open' });
  const call = event('agent.tool_use', { name: 'route', input: { queue: right }, evaluated_permission: 'allow' }, `sthr_${id}`);
  const events = [
    event('session.created', { principal, principal_authenticated: true, team: teamOf(QUEUES), caps: CAPS, memory: [] }),
    event('user.message', { content: text(request) }, 'user'),
    ...Array.from({ length: CALLS }, () => call),
    event('session.status_idle', { stop_reason: { type: 'end_turn' }, stop_details: null }),
  ];
  const { events: written } = await log.append({ stream, id: idFrom('event', sha256(stream)), expected: 0, events });
  const feedback = written
    .filter(({ type }) => type === 'agent.tool_use')
    .map(({ id: judges }) => event('feedback.recorded', { judges, verdict: 'right', by: 'desk', class: 'desk' }, 'person:desk'));
  await log.append({ stream, id: idFrom('event', sha256(`${stream}/feedback`)), expected: 'any', events: feedback });
}

/** What the log says of the retirement: its reason, who decided, and the gates that it passed. */
async function retirement(waits = false): Promise<unknown> {
  const { state } = await memory.load('desk');
  const record = [...state.patches].find(
    ({ proposal }) => proposal.operations.at(-1)?.op === 'remove' && proposal.operations.at(-1)!.path.endsWith(learnt),
  );
  expect(JSON.stringify(state.document).includes(learnt)).toBe(waits);
  if (record === undefined) return null;
  const { proposal, gates, status, decision } = record;
  expect(proposal.evidence.length).toBeGreaterThan(0);
  return { reason: proposal.reason, status, by: decision?.by, gates: gates.map(({ gate, pass }) => [gate, pass]) };
}
const gates = [
  ['evidence', true],
  ['turning', true],
];
const applied = { status: 'applied', by: 'policy:auto', gates };

describe('an insight is retired by a dream, with reason, evidence and gates on the log', () => {
  it('when it is stale: nobody has said its cues for long', async () => {
    for (let i = 0; i * CALLS < STALE - CALLS; i += 1) await longSession(`p${i % 7}`, 'crashes', 'technical');
    await dreamer.dream({ store: 'desk', thorough: true });
    // It may have grown stronger, and stand under another id.
    learnt = await billing();
    for (let i = 0; i < 2; i += 1) await longSession(`p${i}`, 'crashes', 'technical');
    const { insights } = await dreamer.dream({ store: 'desk', thorough: true });
    expect(insights.map(({ insight, change, status }) => [insight.id, change, status])).toContainEqual([learnt, 'retire', 'applied']);
    expect(await retirement()).toMatchObject({ ...applied, reason: expect.stringMatching(/^It is stale: none of its cues was said/) });
    const again = await new Dreamer(log, new MemoryKeeper(log)).dream({ store: 'desk', thorough: true });
    expect(again.insights.filter(({ insight }) => insight.id === learnt)).toEqual([]);
  });

  it.each([
    ['when it is harmful, and a person agrees: it misled three principals who followed it', ['p', 'p', 'q', 'r'], true],
    ['but not when it misled two, however often', ['p', 'p', 'p', 'q'], false],
  ])('%s', async (_when, principals, isHarmful) => {
    const { id: store, state } = await memory.load('desk');
    const given = { store, version: state.version, insights: [learnt] };
    for (const who of principals) await routeTicket(log, [who, 'account', `about ${who}`], { queues: QUEUES, chosen: 'billing', given });
    await dreamer.dream({ store: 'desk', thorough: true });
    if (!isHarmful) {
      expect(await billing()).toBe(learnt);
      return;
    }
    const reason = 'It misled 3 principals whose sessions followed it, and helped 0.';
    expect(await retirement(true)).toMatchObject({ status: 'validated', by: undefined, gates, reason });
    const { patches } = (await memory.load('desk')).state;
    const waiting = [...patches].find(({ status }) => status === 'validated')!;
    await memory.approve('desk', waiting.proposal.patch_id, { by: 'person:ann' });
    expect(await retirement()).toMatchObject({ status: 'applied', by: 'person:ann' });
    const again = await new Dreamer(log, new MemoryKeeper(log)).dream({ store: 'desk', thorough: true });
    expect(again.insights.filter(({ insight }) => insight.id === learnt)).toEqual([]);
  });
});
