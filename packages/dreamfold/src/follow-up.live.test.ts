// What `send` and `done` give after the turn that a rubric was given for.
import { describe, expect, test } from 'vitest';
import { agent, open, rubric, scripted, type SessionResult, type WorkerNews } from './index.ts';
import { temporaryDirectory } from './testing/log-fixtures.ts';

const polite = rubric({ criteria: [{ id: 'greets', ask: 'It greets.', check: ({ text }) => text.startsWith('Dear') }] });
const short = rubric({
  maxIterations: 2,
  criteria: [{ id: 'short', ask: 'It is short.', check: ({ text }) => ({ score: text.includes('5') ? 1 : 0.5, reason: 'x' }) }],
});
const lead = agent({ name: 'desk', system: '', model: scripted((r) => `Dear, answer ${r.messages.length}`) });

describe('a message after an outcome has ended', () => {
  test('gets its own answer, and the result says that no rubric applies', async () => {
    const df = await open();
    const session = await df.run(lead, 'First question', { rubric: polite });
    expect(await session.done()).toMatchObject({ text: 'Dear, answer 1', outcome: { result: 'satisfied' }, earlierOutcome: null });
    await session.send('Second question');
    expect(await session.done()).toMatchObject({
      text: 'Dear, answer 3',
      outcome: null,
      earlierOutcome: { result: 'satisfied', score: 1, best: { text: 'Dear, answer 1' } },
    });
    await df.close();
  });

  test('is graded by the rubric that it brings, and by none after that', async () => {
    const df = await open();
    const session = await df.run(lead, 'First question', { rubric: polite });
    await session.done();
    await session.send('Second question', { rubric: short });
    const second = await session.done();
    expect(second).toMatchObject({ text: 'Dear, answer 5', outcome: { result: 'satisfied', score: 1 }, earlierOutcome: null });
    expect(second.outcome!.attempts.map(({ score }) => score)).toEqual([0.5, 1]);
    await session.send('Third question');
    expect(await session.done()).toMatchObject({ text: 'Dear, answer 7', outcome: null });
    await df.close();
  });

  test('with a rubric is refused while another outcome is under way, whose graders stay', async () => {
    const df = await open();
    const session = await df.run(lead, 'First question', { rubric: polite });
    await expect(session.send('Second question', { rubric: short })).rejects.toMatchObject({ code: 'session_busy' });
    expect(await session.done()).toMatchObject({ outcome: { result: 'satisfied', best: { criteria: [{ id: 'greets' }] } } });
    await df.close();
  });

  test('is answered by whoever resumes the session, or works on it', async () => {
    const directory = temporaryDirectory();
    const first = await open({ directory });
    const { id } = await first.run(lead, 'First question', { rubric: polite }).then(async (session) => {
      await session.done();
      return session;
    });
    await first.send(id, 'Second question');
    await first.close();
    const second = await open({ directory });
    const resumed = await (await second.resume(lead, id, { rubric: polite })).done();
    expect(resumed).toMatchObject({ text: 'Dear, answer 3', outcome: null, earlierOutcome: { result: 'satisfied' } });
    const submitted = await second.submit(lead, 'First question', { rubric: polite });
    const ending = new AbortController();
    const rested: SessionResult[] = [];
    const onNews = (news: WorkerNews): void => {
      if (news.type !== 'rested' || news.session !== submitted) return;
      if (rested.push(news.result) === 1) void second.send(submitted, 'Second question');
      else ending.abort();
    };
    await second.work({ teams: [{ lead, rubric: polite }], signal: ending.signal, onNews });
    expect(rested).toMatchObject([
      { text: 'Dear, answer 1', outcome: { result: 'satisfied' }, earlierOutcome: null },
      { text: 'Dear, answer 3', outcome: null, earlierOutcome: { result: 'satisfied' } },
    ]);
    await second.close();
  });
});
