import { describe, expect, test } from 'vitest';
import { answerParts, withoutCalls, type AnswerBlock } from './answer-parts.ts';

const thought = (thinking: string): AnswerBlock => ({ type: 'thinking', thinking, signature: 's' });
const said = (text: string, cited = false): AnswerBlock => ({ type: 'text', text, ...(cited ? { citations: [{ type: 'page' }] } : {}) });
const call: AnswerBlock = { type: 'tool_use', name: 'look', input: {} };
const search: AnswerBlock = { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} };
const found: AnswerBlock = { type: 'web_search_tool_result', tool_use_id: 's1', content: [] };

/** What each part holds: the types of its blocks. */
function brief(content: readonly AnswerBlock[]): string[] {
  return answerParts(content).map((part) => (part.kind === 'call' ? 'call' : `${part.kind}: ${part.content.map((b) => b.type).join(' ')}`));
}

describe('the parts of an answer', () => {
  test('are its plain texts one by one, its calls, and thoughts before what they led to', () => {
    expect(brief([thought('a'), thought('b'), said('one'), said('two'), thought('c'), call, call])).toEqual([
      'thinking: thinking thinking',
      'said: text',
      'said: text',
      'thinking: thinking',
      'call',
      'call',
    ]);
  });

  test('keep together what a citation or a search has cut up', () => {
    expect(brief([said('It is '), said('old', true), said('.'), search, found, call])).toEqual([
      'said: text text text server_tool_use web_search_tool_result',
      'call',
    ]);
  });

  test('are without thoughts that nothing follows, and without empty text', () => {
    expect(brief([said('one'), thought('a'), said('')])).toEqual(['said: text']);
    expect(brief([thought('a')])).toEqual([]);
  });

  test('of an answer that was cut off hold no call, and no search without its result', () => {
    const cut = [thought('a'), search, found, { ...search, id: 's2' }, thought('b'), call];
    expect(brief(withoutCalls(cut))).toEqual(['thinking: thinking', 'said: server_tool_use web_search_tool_result']);
  });
});
