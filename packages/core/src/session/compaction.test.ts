import { describe, expect, test } from 'vitest';
import { GivenSession, givenAgent, givenTool } from '../testing/given-session.ts';
import { interrupt, sendMessage } from './commands/commands.ts';

const usage = { input_tokens: 900, output_tokens: 20, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
const agents = [givenAgent('lead', { tools: [givenTool('look')], context_window: 1000 })];

function nearTheWindow(): GivenSession {
  const session = new GivenSession('Count the birds.', { agents });
  session.answers('lead', { tool: 'look', input: { at: 'the sea' } });
  session.finishes('look', 'no birds');
  session.answers('lead', { tool: 'look', input: { at: 'the trees' } }, { usage });
  session.finishes('look', 'seven birds');
  return session;
}

describe('a thread that nears its context window', () => {
  test('is summarised, and goes on with its task and the summary', () => {
    const session = nearTheWindow();
    expect(session.work).toMatchObject([{ kind: 'model', purpose: 'compaction' }]);
    const types = session.answers('lead', 'Saw seven birds.');
    expect(types).toEqual(['agent.thread_context_compacted', 'span.model_request_end', 'span.model_request_start']);
    expect(session.dataOf('agent.thread_context_compacted')[0]).toEqual({ df_summary: 'Saw seven birds.', df_tokens_before: 920 });
    expect(session.work).toMatchObject([{ kind: 'model', purpose: 'turn' }]);
    const messages = session.thread('lead').messages.toArray();
    expect(messages).toHaveLength(1);
    expect(JSON.stringify(messages)).toMatch(/Count the birds.*Saw seven birds/s);
    session.answers('lead', 'Seven.');
    expect(session.state.stopReason).toEqual({ type: 'end_turn' });
    // The raw events stay.
    expect(session.dataOf('agent.tool_result')).toHaveLength(2);
  });

  test('is summarised in one sentence where a citation has cut it', () => {
    const session = nearTheWindow();
    const content = [
      { type: 'text' as const, text: 'Saw ' },
      { type: 'text' as const, text: 'seven birds', citations: [{ type: 'char_location' }] },
      { type: 'text' as const, text: '.' },
    ];
    session.answers('lead', [], { content });
    expect(session.dataOf('agent.thread_context_compacted')).toMatchObject([{ df_summary: 'Saw seven birds.' }]);
  });

  test('is not summarised before, nor right after', () => {
    const session = new GivenSession('Count the birds.', { agents });
    session.answers('lead', { tool: 'look' }, { usage: { ...usage, input_tokens: 780 } });
    session.finishes('look', 'one');
    expect(session.work).toMatchObject([{ purpose: 'turn' }]);
  });

  test.each([
    ['an empty summary', '', {}, 'retries_exhausted'],
    ['a refusal', 'No.', { stopReason: 'refusal' }, 'refusal'],
    ['half a summary', 'Saw se', { stopReason: 'max_tokens' }, 'retries_exhausted'],
  ] as const)('keeps its messages when it gets %s', (...[, words, answer, stop]) => {
    const session = nearTheWindow();
    const before = session.thread('lead').messages.toArray();
    session.answers('lead', words, answer);
    expect(session.state).toMatchObject({ status: 'idle', stopReason: { type: stop } });
    expect(session.thread('lead').messages.toArray()).toEqual(before);
    session.when((state) => sendMessage(state, 'Go on.'));
    expect(session.underWay).toEqual(['model lead']);
  });

  test('can be interrupted meanwhile', () => {
    const session = nearTheWindow();
    session.when((state) => interrupt(state));
    expect(session.work).toEqual([]);
    expect(session.state.status).toBe('idle');
  });
});
